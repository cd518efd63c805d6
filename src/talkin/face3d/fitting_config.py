"""How landmarks become coefficients: `FitConfig`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class FitConfig(BaseModel):
    """How landmarks become coefficients. Priors are inverse variances in standard deviations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_keyframes: int = Field(
        default=40, ge=1, le=2000, description="Frames from which a clip's geometry is solved"
    )
    n_person_keyframes: int = Field(
        default=160,
        ge=1,
        le=2000,
        description="Frames of all clips of a person from which the one geometry is solved",
    )
    keyframe_noise: float = Field(
        default=0.004,
        gt=0,
        description="Trembling, as a share of the interocular distance, above which keyframes are "
        "means of up to 15 frames: a geometry solved from points that tremble is too flat",
    )
    geometry_steps: int = Field(default=7, ge=1, le=50, description="Joint Gauss-Newton steps")
    frame_steps: int = Field(default=3, ge=1, le=50, description="Steps over all frames")
    landmark_noise: float | None = Field(
        default=None,
        gt=0,
        description="Standard error of a landmark as a share of the interocular distance; "
        "learned from the clip's own residuals where not given",
    )
    dense_noise: float = Field(
        default=0.015,
        gt=0,
        description="Least standard error learned for a dense mesh: its points err together, so "
        "that they agree with one another better than with the face",
    )
    detector_habits: Literal["off", "people", "drawn"] = Field(
        default="people",
        description="What is learned of how the embedded nets misplace points is undone: for "
        "filmed people, or also what is true of drawn faces only (a synthetic corpus)",
    )
    geometry_prior: float = Field(
        default=0.25, ge=0, description="Weight of the geometry prior for each keyframe"
    )
    mean_expression_prior: float = Field(
        default=10.0,
        gt=0,
        description="Weight of the prior of the person's mean expression for each keyframe: what "
        "geometry can explain of a constant is geometry's",
    )
    expression_prior: float = Field(
        default=1.0,
        gt=0,
        description="Weight of the prior of the deviation from the mean expression in each frame",
    )
    expression_smoothness: float = Field(
        default=4.0, ge=0, description="Weight of the expression's change from frame to frame"
    )
    turn_change: float = Field(
        default=0.015, gt=0, description="Usual turn of the head between frames, rad"
    )
    jaw_weight: float = Field(
        default=0.4, gt=0, le=1, description="Weight of the 17 jaw points beside the others"
    )
    point_error_floor: float = Field(
        default=0.004,
        gt=0,
        description="A dense mesh's points weigh by the inverse square of their measured error "
        "(share of the interocular distance), errors below this counting as this",
    )
    lip_weight: float = Field(
        default=8.0,
        gt=0,
        description="Weight of a dense mesh's lip points beside its others (68 points: 1)",
    )
    largest_error: float = Field(
        default=0.08,
        gt=0,
        description="Fit error, as a share of the interocular distance, from which a frame is not "
        "to be trusted",
    )
