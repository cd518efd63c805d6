"""What the paper published, to stand beside our own figures.

Its coefficients belong to another face model and its clips to other people: only the landmark
error of a 384 px crop, PSNR and SSIM can be compared at all, and those only roughly.
"""

PAPER_GRID: dict[str, float] = {
    "expression_error": 0.65,
    "landmark_error_384": 2.24,
    "psnr": 31.19,
    "ssim": 0.95,
}
"""Table 2, GRID, with identity removal."""

PAPER_COLLECTED: dict[str, float] = {
    "expression_error": 0.59,
    "landmark_error_384": 1.82,
    "psnr": 29.16,
    "ssim": 0.95,
}
"""Table 2, the authors' own four speakers, with identity removal."""
