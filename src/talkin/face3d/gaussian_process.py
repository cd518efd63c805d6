"""The embedded morphable model, built from hand-set anatomy and a Gaussian process.

199 geometry and 29 expression modes, free of any licence: nothing in it comes from scans. It is
built in seconds, always the same, and laid out like an imported model, so that a licensed one can
take its place. `face_anatomy` tells a renderer which vertex is what; `action_units` tells an
animator which coefficients make which action.
"""

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from talkin.face3d.expression_fields import action_covariance, action_fields, jaw_actions
from talkin.face3d.face_anatomy import FaceAnatomy, describe_anatomy
from talkin.face3d.identity_modes import geometry_modes, with_fixed_signs
from talkin.face3d.inner_parts import Part, build_parts
from talkin.face3d.model import MorphableModel
from talkin.face3d.mouth_frame import facial_frame
from talkin.face3d.surface import MeanSurface
from talkin.face3d.topology import SkinNet, build_skin_net, inside_polygon

MODEL_NAME = "gaussian-process-1"
"""Changes whenever vertices or modes do: coefficients of two versions do not mix."""

N_GEOMETRY = 199
N_EXPRESSION = 29

_CALIBRATION = Path(__file__).with_name("mesh468.json")
_LIP_IMPORTANCE = 3.0
_CONTACT_IMPORTANCE = 8.0


def build_gaussian_process_model() -> MorphableModel:
    """Build the embedded model: a few seconds, the same on every call.

    Rotate, shift and scale are kept out of the geometry modes. The lips weigh more than the rest
    of the face when the 44 actions are condensed to 29 expression modes, so that they still meet
    in p, b and m.
    """
    net, skin, parts = _mesh()
    is_front = skin[:, 2] > -60
    geometry = geometry_modes(skin, net.mirror, is_front, N_GEOMETRY)
    expression, _ = _expression()
    model = MorphableModel(
        name=MODEL_NAME,
        mean=np.concatenate([skin, *[part.points for part in parts]]).astype(np.float32),
        geometry_basis=_following(geometry, parts).astype(np.float32),
        expression_basis=expression.astype(np.float32),
        triangles=_triangles(net, parts)[0].astype(np.int32),
        landmarks68=np.arange(68),
        mouth39=np.concatenate([np.arange(48, 68), np.arange(3, 14), net.cheek]),
        mesh468=np.full(468, -1),
    )
    return _with_measured_points(model)


@lru_cache(maxsize=1)
def face_anatomy() -> FaceAnatomy:
    """Parts, texture coordinates and feature curves of the embedded model's vertices."""
    net, _, parts = _mesh()
    return describe_anatomy(net, parts, len(net.triangles), _triangles(net, parts)[1])


def action_units() -> dict[str, Float[np.ndarray, "expression"]]:
    """Expression coefficients of each action at full strength (1.0); actions add up.

    Sided actions exist as `smile_l`, `smile_r` (of the picture) and `smile` for both.
    """
    return {name: coefficients.copy() for name, coefficients in _expression()[1].items()}


@lru_cache(maxsize=1)
def _mesh() -> tuple[SkinNet, np.ndarray, list[Part]]:
    net = build_skin_net()
    skin = MeanSurface().at(net.chart)
    return net, skin, build_parts(skin, net.curves)


@lru_cache(maxsize=1)
def _expression() -> tuple[Float[np.ndarray, "v 3 e"], dict[str, np.ndarray]]:
    """Condense the actions to `N_EXPRESSION` modes, and tell each action in their terms."""
    net, skin, parts = _mesh()
    names, fields = action_fields(facial_frame(skin, net.curves), net.mirror)
    importance = _importance(net)[:, None, None]
    weighted = (importance * fields).reshape(-1, len(names))
    spread = np.linalg.cholesky(action_covariance(names))
    left, strength, right = np.linalg.svd(weighted @ spread, full_matrices=False)
    # A mode is a mixture of actions; so the parts behind the skin, which know actions, follow.
    mixture = spread @ right[:N_EXPRESSION].T
    skin_modes = fields @ mixture
    signs = np.sign((with_fixed_signs(skin_modes) * skin_modes).sum((0, 1)))
    inverse = left[:, :N_EXPRESSION].T / strength[:N_EXPRESSION, None] * signs[:, None]
    actions = dict(zip(names, (inverse @ weighted).T, strict=True))
    for name in [name for name in names if name.endswith("_l")]:
        stem = name.removesuffix("_l")
        actions[stem] = actions[name] + actions[f"{stem}_r"]
    inner = [_part_fields(part, fields, names) for part in parts]
    return np.concatenate([fields, *inner]) @ (mixture * signs), actions


def _importance(net: SkinNet) -> np.ndarray:
    """Weight of each skin vertex when actions are condensed."""
    lips = np.concatenate([net.curves["outer_lip_upper"], net.curves["outer_lip_lower"][-2:0:-1]])
    contact = np.concatenate([net.curves["inner_lip_upper"], net.curves["inner_lip_lower"]])
    weight = np.where(inside_polygon(net.chart, net.chart[lips]), _LIP_IMPORTANCE, 1.0)
    weight[lips] = _LIP_IMPORTANCE
    weight[contact] = _CONTACT_IMPORTANCE
    return weight


def _part_fields(part: Part, fields: np.ndarray, names: list[str]) -> np.ndarray:
    """Displacement of a part's vertices in each action."""
    moved = fields[part.leaders].mean(1) * part.expression_weight[:, None, None]
    for name, field in jaw_actions(part.points, part.jaw_weight).items():
        moved[:, :, names.index(name)] += field
    return moved


def _following(skin_modes: np.ndarray, parts: list[Part]) -> Float[np.ndarray, "v 3 modes"]:
    """Geometry of the parts: the mean displacement of the skin they belong to."""
    return np.concatenate([skin_modes, *[skin_modes[part.leaders].mean(1) for part in parts]])


def _triangles(net: SkinNet, parts: list[Part]) -> tuple[Int[np.ndarray, "t 3"], list[str]]:
    """All triangles, and for those behind the skin the name of their part."""
    start, found, names = len(net.chart), [net.triangles], []
    for part in parts:
        own = part.triangles + start
        if len(part.rim):
            at_rim = part.triangles < 0
            own[at_rim] = part.rim[-1 - part.triangles[at_rim]]
        found.append(own)
        names += [part.name] * len(own)
        start += len(part.points)
    return np.concatenate(found), names


def _with_measured_points(model: MorphableModel) -> MorphableModel:
    """Tell where the 468 MediaPipe points lie, if that was measured for this model."""
    if not _CALIBRATION.exists():
        return model
    measured = json.loads(_CALIBRATION.read_text())
    if measured.get("model") != MODEL_NAME:
        return model
    return replace(
        model,
        mesh468=np.array(measured["vertices"]),
        mesh468_offset=np.array(measured["offset_mm"], dtype=np.float32),
        mesh468_error=np.array(measured["error"], dtype=np.float32),
    )
