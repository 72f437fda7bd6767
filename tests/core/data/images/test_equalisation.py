import numpy as np
import pytest
from skimage.exposure import equalize_hist

from lovt_core.data.images.equalisation import GREY_VALUES, equalise, measure
from lovt_core.data.images.loading import to_channel_mean
from tests.core.data.factories import draw_film


@pytest.mark.parametrize("seed", range(4))
def test_grey_equals_scikit_image(seed):
    film = draw_film(seed, 90, 70) // (1 + seed)
    expected = equalize_hist(film / 255)
    pixels = equalise(film, GREY_VALUES)
    assert np.array_equal(pixels.values, (255 * expected).astype(np.uint8))
    assert (pixels.mean, pixels.variance) == pytest.approx((expected.mean(), expected.var()))


def test_mean_of_colour_channels_equals_scikit_image():
    from PIL import Image

    colours = np.stack([draw_film(seed, 50, 60) for seed in range(3)], axis=-1)
    expected = equalize_hist((colours / 255).mean(axis=-1))
    pixels = equalise(*to_channel_mean(Image.fromarray(colours)))
    assert np.array_equal(pixels.values, (255 * expected).astype(np.uint8))


def test_moments_are_those_of_the_unit_image():
    film = draw_film(3)
    pixels = measure(film)
    assert pixels.values is film
    assert (pixels.mean, pixels.variance) == pytest.approx(((film / 255).mean(), (film / 255).var()))


def test_one_grey_level():
    pixels = equalise(np.full((3, 4), 7, dtype=np.uint8), GREY_VALUES)
    assert np.unique(pixels.values).size == 1
    assert pixels.variance == 0
