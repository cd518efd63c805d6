"""ICT FaceKit (Li et al. 2020, MIT) out of one packed `.npz`.

Its expressions are actions from 0 to 1 and not standard deviations: here each is given the
standard deviation that a talking face shows, and the two sides of a face mostly act together.
"""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from talkin.errors import FaceModelError
from talkin.face3d.foreign_model import ForeignModel, without_unused_vertices

_MM_PER_CM = 10.0
_N_SKIN = 9409
_N_WITHOUT_LASHES = 24591
_ACTION_DEVIATION = 0.3
_SIDES_ALIKE = 0.85


def read_ict(path: Path) -> ForeignModel:
    """Read neutral mesh, identity and expression modes, faces and 68 landmarks.

    The pack holds `neutral` (cm), `identity_q` and `expression_q` (integers) with a scale for
    each mode, `expression_names`, `faces` (quads; -1 last means triangle) and `landmarks68`.

    Raises:
        FaceModelError: If it is damaged or something is missing.
    """
    try:
        with np.load(path, allow_pickle=False) as opened:
            pack = {key: opened[key] for key in opened.files}
        foreign = _from_pack(pack)
    except (OSError, ValueError, BadZipFile, EOFError) as error:
        raise FaceModelError(f"{path} cannot be read: {error}") from error
    except KeyError as error:
        raise FaceModelError(f"{path} is no pack of ICT FaceKit: it has no {error}") from error
    is_wanted = np.arange(len(foreign.mean)) < _N_WITHOUT_LASHES
    return without_unused_vertices(foreign, is_wanted)


def _from_pack(pack: dict[str, np.ndarray]) -> ForeignModel:
    modes = {
        kind: np.moveaxis(pack[f"{kind}_q"], 0, 2).astype(np.float32)
        * (_MM_PER_CM * pack[f"{kind}_scale"]).astype(np.float32)
        for kind in ("identity", "expression")
    }
    quads = pack["faces"].astype(np.int64)
    halves = quads[quads[:, 3] >= 0][:, [0, 2, 3]]
    names = [str(name) for name in pack["expression_names"]]
    return ForeignModel(
        name="ict-facekit",
        licence="MIT (USC Institute for Creative Technologies)",
        mean=_MM_PER_CM * pack["neutral"].astype(np.float64),
        geometry_basis=modes["identity"],
        expression_basis=modes["expression"] @ _usual_mixture(names).astype(np.float32),
        triangles=np.concatenate([quads[:, :3], halves]),
        landmarks={index: int(vertex) for index, vertex in enumerate(pack["landmarks68"])},
        is_skin=np.arange(len(pack["neutral"])) < _N_SKIN,
    )


def _usual_mixture(names: list[str]) -> np.ndarray:
    """Actions as mixtures of independent unit variables: the root of their covariance."""
    alike = np.eye(len(names))
    for i, name in enumerate(names):
        for j, other in enumerate(names):
            if i != j and name[-2:] in ("_L", "_R") and name[:-2] == other[:-2]:
                alike[i, j] = _SIDES_ALIKE
    return _ACTION_DEVIATION * np.linalg.cholesky(alike)
