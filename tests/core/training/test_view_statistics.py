"""Draws of views against the protocol's distributions and against torchvision's own draws, by the reference's numbers.

Seeds are fixed: a test fails only where the code that draws has changed. LIMIT is what a right draw would miss once in
ten thousand choices of seeds.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.stats import binomtest, chi2_contingency, chisquare, ks_2samp, kstest
from torchvision.transforms import ColorJitter, GaussianBlur, RandomAffine, RandomResizedCrop

from lovt_core.config.data import ImageAugmentationConfig
from lovt_core.training.view_parameters import ViewParameters, draw_view

DRAWS = 3000
LIMIT = 1e-4
WIDE, SQUARE, TALL = (320, 390), (400, 400), (390, 320)
Steps = dict[str, dict[str, Any]]
Values = npt.NDArray[np.float64]

pytestmark = pytest.mark.vectors


@pytest.fixture(scope="module")
def steps(vectors_folder: Path) -> Steps:
    text = (vectors_folder / "19_augmentation.json").read_text(encoding="utf-8")
    return {step["step"]: step for step in json.loads(text)["order_training"]}


def read_config(steps: Steps) -> ImageAugmentationConfig:
    crop, affine, jitter = steps["RandomResizedCrop"], steps["RandomAffine"], steps["ColorJitter"]
    return ImageAugmentationConfig(
        crop_area=crop["area_scale"],
        crop_aspect=crop["aspect_ratio"],
        flip=steps["RandomHorizontalFlip"]["p"],
        rotation_degrees=affine["degrees"][1],
        translation=affine["translate_fraction"][0],
        scale=affine["scale"],
        brightness=jitter["brightness"],
        contrast=jitter["contrast"],
        blur_sigma=steps["GaussianBlur"]["sigma"],
    )


def draw_many(steps: Steps, shape: tuple[int, int] = SQUARE) -> list[ViewParameters]:
    size = steps["RandomResizedCrop"]["size"][0]
    return [draw_view(shape, read_config(steps), size, np.random.default_rng((11, draw))) for draw in range(DRAWS)]


def collect(views: list[ViewParameters], name: str) -> Values:
    return np.array([getattr(view, name) for view in views], dtype=np.float64)


def describe_crops(boxes: npt.NDArray[np.int64], shape: tuple[int, int]) -> dict[str, Values]:
    """Part of the area, log of the aspect, and place from 0 to 1 of boxes top, left, height, width."""
    top, left, height, width = boxes.T.astype(np.float64)
    return {
        "area": height * width / (shape[0] * shape[1]),
        "aspect": np.log(width / height),
        "vertical": (top + 0.5) / (shape[0] - height + 1),
        "horizontal": (left + 0.5) / (shape[1] - width + 1),
    }


def draw_crops(steps: Steps, shape: tuple[int, int]) -> dict[str, Values]:
    crops = [view.crop for view in draw_many(steps, shape)]
    boxes = np.array([(crop.top, crop.left, crop.height, crop.width) for crop in crops])
    return describe_crops(boxes, shape)


@pytest.mark.parametrize("shape", [WIDE, SQUARE, TALL])
def test_area_aspect_and_place_of_crops_are_torchvision_s(steps: Steps, shape: tuple[int, int]) -> None:
    settings, image = steps["RandomResizedCrop"], torch.empty(1, *shape)
    torch.manual_seed(3)
    boxes = [
        RandomResizedCrop.get_params(image, settings["area_scale"], settings["aspect_ratio"]) for _ in range(DRAWS)
    ]
    theirs = describe_crops(np.array(boxes), shape)
    for name, ours in draw_crops(steps, shape).items():
        assert ks_2samp(ours, theirs[name]).pvalue > LIMIT, name


def test_area_and_aspect_are_uniform_where_every_crop_fits(steps: Steps) -> None:
    """Aspects next to the image's own always fit; among them area and log aspect keep their distributions."""
    low, high = steps["RandomResizedCrop"]["area_scale"]
    middle = (low + high) / 2
    widest = min(-math.log(middle), math.log(steps["RandomResizedCrop"]["aspect_ratio"][1]))
    crops = draw_crops(steps, SQUARE)
    fits = (crops["area"] < middle) & (np.abs(crops["aspect"]) < widest)
    assert fits.sum() > DRAWS / 5
    assert kstest((crops["area"][fits] - low) / (middle - low), "uniform").pvalue > LIMIT
    assert kstest((crops["aspect"][fits] + widest) / (2 * widest), "uniform").pvalue > LIMIT


@pytest.mark.parametrize("direction", ["vertical", "horizontal"])
def test_crops_lie_anywhere_alike(steps: Steps, direction: str) -> None:
    places = draw_crops(steps, (2000, 2000))[direction]
    assert kstest(places, "uniform").pvalue > LIMIT


def test_half_of_the_views_are_flipped(steps: Steps) -> None:
    flips = int(collect(draw_many(steps), "flip").sum())
    assert binomtest(flips, DRAWS, steps["RandomHorizontalFlip"]["p"]).pvalue > LIMIT


def test_turn_shift_and_zoom_are_torchvision_s(steps: Steps) -> None:
    settings, size = steps["RandomAffine"], steps["RandomResizedCrop"]["size"]
    torch.manual_seed(4)
    drawn = [
        RandomAffine.get_params(settings["degrees"], settings["translate_fraction"], settings["scale"], None, size)
        for _ in range(DRAWS)
    ]
    views = draw_many(steps)
    assert ks_2samp(collect(views, "angle"), [angle for angle, *_ in drawn]).pvalue > LIMIT
    assert ks_2samp(collect(views, "scale"), [scale for _, _, scale, _ in drawn]).pvalue > LIMIT
    ours, theirs = collect(views, "shift"), np.array([shift for _, shift, *_ in drawn])
    for direction in range(2):
        edges = np.unique(theirs[:, direction])
        assert set(ours[:, direction]) == set(edges)
        counts = [[int((shifts[:, direction] == edge).sum()) for edge in edges] for shifts in (ours, theirs)]
        assert chi2_contingency(counts).pvalue > LIMIT


def test_shifts_are_uniform_up_to_the_two_outermost(steps: Steps) -> None:
    """A shift is rounded: the outermost ones come from a part of a pixel only."""
    furthest = steps["RandomAffine"]["translate_fraction"][0] * steps["RandomResizedCrop"]["size"][0]
    steps_away = np.arange(-round(furthest), round(furthest) + 1)
    shares = np.minimum(steps_away + 0.5, furthest) - np.maximum(steps_away - 0.5, -furthest)
    shifts = collect(draw_many(steps), "shift")
    for direction in range(2):
        counts = [int((shifts[:, direction] == step).sum()) for step in steps_away]
        assert chisquare(counts, DRAWS * shares / shares.sum()).pvalue > LIMIT


def test_brightness_contrast_and_their_order_are_torchvision_s(steps: Steps) -> None:
    settings = steps["ColorJitter"]
    torch.manual_seed(5)
    drawn = [ColorJitter.get_params(settings["brightness"], settings["contrast"], None, None) for _ in range(DRAWS)]
    views = draw_many(steps)
    for name, place in (("brightness", 1), ("contrast", 2)):
        ours = collect(views, name)
        assert ks_2samp(ours, [parameters[place] for parameters in drawn]).pvalue > LIMIT
        low, high = settings[name]
        assert kstest((ours - low) / (high - low), "uniform").pvalue > LIMIT
    theirs = sum(parameters[0].tolist().index(1) < parameters[0].tolist().index(0) for parameters in drawn)
    first = int(collect(views, "contrast_first").sum())
    assert chi2_contingency([[first, DRAWS - first], [theirs, DRAWS - theirs]]).pvalue > LIMIT
    assert binomtest(first, DRAWS, 0.5).pvalue > LIMIT


def test_widths_of_the_blur_are_torchvision_s(steps: Steps) -> None:
    low, high = steps["GaussianBlur"]["sigma"]
    torch.manual_seed(6)
    theirs = [GaussianBlur.get_params(low, high) for _ in range(DRAWS)]
    ours = collect(draw_many(steps), "blur_sigma")
    assert ks_2samp(ours, theirs).pvalue > LIMIT
    assert kstest((ours - low) / (high - low), "uniform").pvalue > LIMIT


def test_what_is_drawn_for_a_view_is_independent(steps: Steps) -> None:
    views = draw_many(steps)
    names = ("flip", "angle", "scale", "brightness", "contrast", "contrast_first", "blur_sigma")
    columns = [collect(views, name) for name in names] + list(collect(views, "shift").T)
    columns += [np.array([view.crop.height * view.crop.width for view in views], dtype=np.float64)]
    related = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(related).max() < 4.5 / math.sqrt(DRAWS)


def test_views_of_neighbouring_seeds_are_independent(steps: Steps) -> None:
    views = draw_many(steps)
    for name in ("angle", "scale", "brightness", "contrast", "blur_sigma"):
        values = collect(views, name)
        assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 4 / math.sqrt(DRAWS), name
