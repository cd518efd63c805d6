import numpy as np
import pytest

from talkin.editing.side_by_side import beside


@pytest.mark.parametrize("height", [120, 224, 700, 1080])
def test_the_dark_rim_of_a_label_fits_its_letters_on_both_sides(height):
    grey = np.full((height, height, 3), 128, np.uint8)
    picture = beside([grey], ["target"])[..., 0]
    bright, dark = (np.flatnonzero(mask.any(0)) for mask in (picture > 160, picture < 96))
    left, right = bright[0] - dark[0], dark[-1] - bright[-1]
    assert 1 <= left <= 2 + height / 300
    assert 1 <= right <= 2 + height / 300
