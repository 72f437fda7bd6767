"""Draws against torchvision's, the reference's settings, and the ranges of the protocol."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, kstest
from torchvision.transforms import RandomResizedCrop

from lovt_core.config.data import ImageAugmentationConfig
from lovt_core.training.view_parameters import Crop, ViewParameters, draw_view

CONFIG = ImageAugmentationConfig()
DRAWS = 3000


def draw_many(shape: tuple[int, int]) -> list[ViewParameters]:
    return [draw_view(shape, CONFIG, 224, np.random.default_rng((5, draw))) for draw in range(DRAWS)]


@pytest.mark.parametrize("shape", [(800, 1000), (1000, 560), (300, 900)])
def test_crops_have_torchvision_s_distribution(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    image = torch.empty(1, *shape)
    boxes = [RandomResizedCrop.get_params(image, [0.6, 1.0], [0.75, 4 / 3]) for _ in range(DRAWS)]
    crops = [view.crop for view in draw_many(shape)]
    drawn = np.array([(crop.top, crop.left, crop.height, crop.width) for crop in crops])
    for side, expected in zip(drawn.T, np.array(boxes).T, strict=True):
        assert ks_2samp(side, expected).pvalue > 1e-4


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1, 1), Crop(0, 0, 1, 1)),
        ((40, 1), Crop(19, 0, 1, 1)),
        ((1, 40), Crop(0, 19, 1, 1)),
        ((300, 30), Crop(130, 0, 40, 30)),
        ((30, 300), Crop(0, 130, 30, 40)),
    ],
)
def test_narrow_images_give_their_central_crop(shape: tuple[int, int], expected: Crop) -> None:
    assert draw_view(shape, CONFIG, 224, np.random.default_rng(0)).crop == expected


def test_other_draws_are_uniform() -> None:
    views = draw_many((224, 224))
    ranges = {"angle": (-20, 20), "scale": (0.95, 1.05), "brightness": (0.6, 1.4), "contrast": (0.6, 1.4)}
    for name, (low, high) in (ranges | {"blur_sigma": (0.1, 3.0)}).items():
        values = np.array([getattr(view, name) for view in views])
        assert kstest((values - low) / (high - low), "uniform").pvalue > 1e-4, name
    for direction in range(2):
        shifts = np.array([view.shift[direction] for view in views])
        assert set(shifts.tolist()) == set(range(-22, 23))
        assert abs(shifts.mean()) < 4 * 13 / math.sqrt(DRAWS)
    for name in ("flip", "contrast_first"):
        share = np.mean([getattr(view, name) for view in views])
        assert abs(share - 0.5) < 4 * 0.5 / math.sqrt(DRAWS), name


def test_no_blur_where_none_is_asked_for() -> None:
    config = ImageAugmentationConfig(blur_sigma=None)
    view = draw_view((80, 80), config, 64, np.random.default_rng(3))
    assert view.blur_sigma is None
    blurred = draw_view((80, 80), CONFIG, 64, np.random.default_rng(3))
    assert replace(blurred, blur_sigma=None) == view


@given(
    height=st.integers(1, 400), width=st.integers(1, 400), seed=st.integers(0, 2**32), size=st.sampled_from([32, 224])
)
def test_drawn_parameters_keep_to_the_protocol(height: int, width: int, seed: int, size: int) -> None:
    view = draw_view((height, width), CONFIG, size, np.random.default_rng(seed))
    crop = view.crop
    assert crop.height > 0
    assert crop.width > 0
    assert 0 <= crop.top <= height - crop.height
    assert 0 <= crop.left <= width - crop.width
    assert abs(view.angle) <= 20
    assert max(abs(pixels) for pixels in view.shift) <= math.ceil(0.1 * size)
    assert 0.95 <= view.scale <= 1.05
    assert 0.6 <= view.brightness <= 1.4
    assert 0.6 <= view.contrast <= 1.4
    assert view.blur_sigma is not None
    assert 0.1 <= view.blur_sigma <= 3


@pytest.mark.vectors
def test_defaults_are_those_of_the_reference(vectors_folder: Path) -> None:
    steps = json.loads((vectors_folder / "19_augmentation.json").read_text(encoding="utf-8"))["order_training"]
    by_name = {step["step"]: step for step in steps}
    crop, affine, jitter = by_name["RandomResizedCrop"], by_name["RandomAffine"], by_name["ColorJitter"]
    blur = by_name["GaussianBlur"]
    assert tuple(crop["area_scale"]) == CONFIG.crop_area
    assert tuple(crop["aspect_ratio"]) == pytest.approx(CONFIG.crop_aspect)
    assert by_name["RandomHorizontalFlip"]["p"] == CONFIG.flip
    assert affine["degrees"] == [-CONFIG.rotation_degrees, CONFIG.rotation_degrees]
    assert affine["translate_fraction"] == [CONFIG.translation] * 2
    assert tuple(affine["scale"]) == CONFIG.scale
    assert tuple(jitter["brightness"]) == CONFIG.brightness
    assert tuple(jitter["contrast"]) == CONFIG.contrast
    assert tuple(blur["sigma"]) == CONFIG.blur_sigma
