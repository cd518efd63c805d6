"""One speaker as a drawable mesh: the morphable face with head, hair, neck and shirt round it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int, UInt8

from talkin.avatar.hair import build_hair
from talkin.avatar.head import HeadShape, build_ear, build_neck, build_shoulders
from talkin.avatar.shading import CLOTH, EYE, SKIN
from talkin.avatar.speaker import Speaker
from talkin.avatar.surface import Surface, joined, solid
from talkin.avatar.texture import PATCHES, paint_atlas, texels_of
from talkin.face3d.gaussian_process import build_gaussian_process_model, face_anatomy
from talkin.face3d.model import MorphableModel


@lru_cache(maxsize=1)
def face_model() -> MorphableModel:
    """The embedded model, built once a process."""
    return build_gaussian_process_model()


@dataclass(frozen=True, eq=False)
class Person:
    """A speaker's resting body and what moves its face.

    Attributes:
        speaker: Who it is.
        geometry: The speaker's geometry coefficients.
        body: Everything at rest; the first `n_face` vertices are the morphable model's.
        n_face: Vertices of the morphable model.
        n_face_triangles: Its triangles, which come first too.
        expression_basis: mm per standard deviation, (n_face, 3, e) float32.
        texture: The painted atlas.
        eyeballs: Vertices of the picture's left and right globe.
    """

    speaker: Speaker
    geometry: Float[np.ndarray, "geometry"]
    body: Surface
    n_face: int
    n_face_triangles: int
    expression_basis: Float[np.ndarray, "face 3 expression"]
    texture: UInt8[np.ndarray, "rows columns 4"]
    eyeballs: tuple[Int[np.ndarray, "n"], Int[np.ndarray, "n"]]


@lru_cache(maxsize=4)
def build_person(speaker: Speaker) -> Person:
    """Build mesh and texture of one speaker (a second or two; the last four are kept)."""
    model, anatomy = face_model(), face_anatomy()
    geometry = speaker.draw_geometry(model.n_geometry)
    resting = model.vertices(geometry, np.zeros(model.n_expression, dtype=np.float32))
    head = HeadShape(resting[anatomy.vertices_of("skin", "lips")])
    face = _face_surface(resting.astype(np.float32), model)
    extras = [
        build_ear(head, -1, speaker.ear_size, PATCHES["skin"]),
        build_ear(head, 1, speaker.ear_size, PATCHES["skin"]),
        build_neck(speaker.neck_radius_mm, PATCHES["skin"]),
        build_shoulders(speaker.neck_radius_mm, speaker.collar_drop_mm, PATCHES["cloth"]),
        *build_hair(
            head, speaker.hair_style, speaker.seed, np.array([PATCHES["cap"], PATCHES["ribbon"]])
        ),
    ]
    return Person(
        speaker=speaker,
        geometry=geometry,
        body=joined([face, *extras]),
        n_face=len(face),
        n_face_triangles=len(face.triangles),
        expression_basis=np.ascontiguousarray(model.expression_basis, dtype=np.float32),
        texture=paint_atlas(speaker, model),
        eyeballs=(anatomy.vertices_of("eyeball_l"), anatomy.vertices_of("eyeball_r")),
    )


def _face_surface(resting: Float[np.ndarray, "face 3"], model: MorphableModel) -> Surface:
    anatomy = face_anatomy()
    face = solid(resting, model.triangles, texels_of(anatomy.uv), SKIN)
    for names, kind in (
        (("eyeball_l", "eyeball_r"), EYE),
        (("teeth_upper", "teeth_lower", "tongue", "mouth_bag", "lip_roll"), CLOTH),
    ):
        face.kind[anatomy.triangles_of(*names)] = kind
    inside = ("teeth_upper", "teeth_lower", "tongue", "mouth_bag", "lip_roll", "lid_margin")
    face.is_two_sided[anatomy.triangles_of(*inside)] = True
    return face
