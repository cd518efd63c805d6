"""The fitted face drawn over the picture: what a person looks at to trust a fit."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from talkin.face3d.camera import project
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters

_MESH, _LANDMARK, _FITTED, _MOUTH = (90, 200, 255), (80, 255, 80), (255, 70, 70), (255, 220, 60)
_AXES = ((255, 60, 60), (60, 220, 60), (80, 120, 255))
_AXIS_MM = 45.0
_SUBPIXEL_BITS = 4


def mesh_overlay(
    image: UInt8[np.ndarray, "height width 3"],
    parameters: FaceParameters,
    model: MorphableModel,
    frame: int,
) -> UInt8[np.ndarray, "height width 3"]:
    """Draw mesh, detected and fitted landmarks, mouth points and head axes over one frame.

    Args:
        image: RGB, in the pixels that `parameters` are in (footage, or crop after `in_crop`).
        parameters: The clip's fit.
        model: The model it was fitted with.
        frame: Row of `parameters` that belongs to the image.

    Returns:
        A new picture. Detected points are green, fitted ones red, the 39 mouth points yellow; a
        frame that is not valid has its mesh in grey.
    """
    row = parameters.select(np.array([frame]))
    points = model.vertices(row.geometry, row.expression[0])
    picture = project(points, row.rotation[0], row.translation[0], row.scale[0])
    drawn = image.copy()
    colour = _MESH if row.is_valid[0] else (128, 128, 128)
    edges = _visible_edges(picture, model)
    cv2.polylines(
        drawn, list(_fixed(picture[edges])), False, colour, 1, cv2.LINE_AA, _SUBPIXEL_BITS
    )
    drawn = cv2.addWeighted(image, 0.55, drawn, 0.45, 0.0)
    _draw_points(drawn, picture[model.mouth39], _MOUTH)
    _draw_points(drawn, picture[model.landmarks68], _FITTED)
    _draw_points(drawn, row.landmarks[0], _LANDMARK)
    _draw_axes(drawn, row)
    return drawn


def _visible_edges(
    picture: Float[np.ndarray, "v 2"], model: MorphableModel
) -> Float[np.ndarray, "edges 2"]:
    """Edges of the triangles that face the camera."""
    corners = picture[model.triangles]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    # Anticlockwise from outside turns clockwise in a picture whose y points down.
    front = model.triangles[first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] < 0]
    edges = np.concatenate([front[:, [0, 1]], front[:, [1, 2]], front[:, [2, 0]]])
    return np.unique(np.sort(edges, axis=1), axis=0)


def _fixed(points: Float[np.ndarray, "*n 2"]) -> np.ndarray:
    """Fixed-point pixels as OpenCV wants them; far points are held within its range."""
    held = np.clip(np.nan_to_num(points), -8000, 24000)
    return np.round(held * (1 << _SUBPIXEL_BITS)).astype(np.int32)


def _draw_points(
    image: np.ndarray, points: Float[np.ndarray, "n 2"], colour: tuple[int, int, int]
) -> None:
    radius = round(max(1.0, min(image.shape[:2]) / 300) * (1 << _SUBPIXEL_BITS))
    for point in _fixed(points[np.isfinite(points).all(1)]):
        centre = (int(point[0]), int(point[1]))
        cv2.circle(image, centre, radius, colour, -1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_axes(image: np.ndarray, row: FaceParameters) -> None:
    """X red, y green, z blue, from the bridge of the nose."""
    ends = np.concatenate([np.zeros((1, 3)), _AXIS_MM * np.eye(3)])
    origin, *tips = _fixed(project(ends, row.rotation[0], row.translation[0], row.scale[0]))
    for tip, colour in zip(tips, _AXES, strict=True):
        start, end = (int(origin[0]), int(origin[1])), (int(tip[0]), int(tip[1]))
        cv2.line(image, start, end, colour, 2, cv2.LINE_AA, _SUBPIXEL_BITS)
