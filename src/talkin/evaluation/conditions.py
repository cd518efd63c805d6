"""Under what conditions figures were measured: printed with every one of them."""

from talkin.evaluation.clip_scores import ClipScoreConfig
from talkin.evaluation.summary import SummaryConfig
from talkin.networks.talking_face import TalkingFace


def measuring_conditions(
    model: TalkingFace, scoring: ClipScoreConfig, summary: SummaryConfig, split: str
) -> dict[str, str]:
    """Region, codec, point set, seed and the like: label -> text."""
    config = model.config
    size, (x0, y0, x1, y1) = config.crop.size_px, config.mask_box
    windows = scoring.windows_per_clip
    painted = "all" if windows is None else f"at most {windows} of {config.frames} frames a clip"
    return {
        "split": split,
        "region of PSNR and SSIM": f"whole face crop of {size} x {size} px; mouth_*: its mouth "
        f"mask, {x1 - x0} x {y1 - y0} px at ({x0}, {y0})",
        "codec": "frames as painted, before encoding; truth itself: encoded once more as H.264 at "
        "the project's own quality (VideoWriter)",
        "points": "39 of the mouth region (20 lip, 11 jaw, 8 cheek), "
        f"scaled from the {size} px crop to 384 px",
        "expression": f"{config.n_expression} coefficients of the face model "
        f"{model.face_model.name}, standard deviations",
        "SSIM window": "uniform, 7 px, mean over RGB",
        "windows painted": painted,
        "bootstrap": f"{summary.n_resamples} draws of clips, {100 * summary.confidence:g} %, "
        f"seed {summary.seed}",
    }
