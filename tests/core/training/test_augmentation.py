"""Views against torchvision and Pillow given the same parameters, and what must hold for any image and any draw."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lovt_core.config.data import ImageAugmentationConfig
from lovt_core.training.augmentation import plain_views, random_views
from lovt_core.training.view_parameters import ViewParameters, draw_view
from tests.core.training.augmentation_oracle import CPU, SIZE, apply_oracle, make_image, render, share_within, whole

CONFIG = ImageAugmentationConfig()


@pytest.mark.parametrize("contrast_first", [False, True])
@pytest.mark.parametrize(("brightness", "contrast"), [(0.6, 1.0), (1.4, 1.0), (1.0, 0.6), (1.0, 1.4), (1.37, 0.71)])
def test_brightness_and_contrast_equal_oracle(brightness: float, contrast: float, contrast_first: bool) -> None:
    image = make_image(SIZE, SIZE)
    view = ViewParameters(whole(image), brightness=brightness, contrast=contrast, contrast_first=contrast_first)
    np.testing.assert_array_equal(render(image, view), apply_oracle(image, view))


@pytest.mark.parametrize("sigma", [0.1, 0.5, 1.0, 2.2, 3.0])
def test_blur_equals_oracle(sigma: float) -> None:
    image = make_image(SIZE, SIZE)
    view = ViewParameters(whole(image), blur_sigma=sigma)
    got, expected = render(image, view), apply_oracle(image, view)
    assert share_within(got, expected, 1) == 1
    assert share_within(got, expected, 0) > 0.999


def test_blur_of_zero_leaves_the_image_alone() -> None:
    image = make_image(SIZE, SIZE)
    np.testing.assert_array_equal(render(image, ViewParameters(whole(image), blur_sigma=0.0)), image)


def test_whole_views_are_near_to_the_published_pipeline() -> None:
    differences = []
    for seed in range(12):
        image = make_image(300, 260, seed)
        view = draw_view(image.shape, CONFIG, 224, np.random.default_rng(seed))
        differences.append(render(image, view, 224) - apply_oracle(image, view, 224))
        assert np.abs(differences[-1]).mean() < 5  # of 255 levels, mostly from the nearest pixels of the pipeline
    assert np.abs(differences).mean() < 1.5
    assert abs(np.mean(differences)) < 0.2


@pytest.mark.parametrize(("height", "width"), [(40, 1), (1, 40), (1, 1), (2, 300), (31, 57), (500, 400)])
def test_images_of_any_shape_have_views(height: int, width: int) -> None:
    image = make_image(height, width)
    views = random_views([image] * 3, CONFIG, SIZE, [(0,), (1,), (2,)], CPU)
    for batch in (views, plain_views([image], SIZE, CPU)):
        assert batch.shape[1:] == (1, SIZE, SIZE)
        assert batch.dtype == torch.float32
        assert 0 <= batch.min() <= batch.max() <= 1


@pytest.mark.parametrize("order", [range(9), reversed(range(9)), (4,), (4, 8), (0, 3, 4, 5)])
def test_views_depend_on_image_and_seed_alone(order: range) -> None:
    images = [make_image(60 + 9 * row, 150 - 7 * row, row) for row in range(7)]
    images += [make_image(500, 330, 7), make_image(9, 31, 8)]
    seeds = [(7, row) for row in range(9)]
    views = random_views(images, CONFIG, SIZE, seeds, CPU)
    rows = list(order)
    others = random_views([images[row] for row in rows], CONFIG, SIZE, [seeds[row] for row in rows], CPU)
    assert torch.equal(others, views[rows])


def test_not_even_rounding_depends_on_the_other_images() -> None:
    generator = np.random.default_rng(0)
    shapes = [(320, 390), (390, 320), (257, 301), (226, 226), (700, 500)]
    images = [255 * generator.integers(0, 2, shape, dtype=np.uint8) for shape in shapes]
    config = CONFIG.model_copy(update={"blur_sigma": None})
    views = random_views(images, config, 224, [(row,) for row in range(5)], CPU)
    for row in range(5):
        assert torch.equal(random_views([images[row]], config, 224, [(row,)], CPU)[0], views[row])


def test_seeds_make_views() -> None:
    images = [make_image(80, 80)] * 4
    seeds = [(1, 2, 3), (1, 2, 4), (1, 3, 3), (1, 2, 3)]
    views = random_views(images, CONFIG, SIZE, seeds, CPU)
    assert torch.equal(views[0], views[3])
    assert not torch.equal(views[0], views[1])
    assert not torch.equal(views[0], views[2])
    assert torch.equal(views, random_views(images, CONFIG, SIZE, seeds, CPU))


def test_global_random_states_are_neither_read_nor_changed() -> None:
    images = [make_image(80, 80)]
    torch.manual_seed(0)
    views = random_views(images, CONFIG, SIZE, [(1,)], CPU)
    state = torch.get_rng_state()
    assert torch.equal(views, random_views(images, CONFIG, SIZE, [(1,)], CPU))
    assert torch.equal(state, torch.get_rng_state())


def test_every_image_needs_a_seed() -> None:
    with pytest.raises(ValueError):
        random_views([make_image(80, 80)] * 2, CONFIG, SIZE, [(1,)], CPU)


def test_images_stay_as_they_are() -> None:
    image = make_image(80, 80).copy()
    before = image.copy()
    random_views([image], CONFIG, SIZE, [(1,)], CPU)
    plain_views([image], SIZE, CPU)
    np.testing.assert_array_equal(image, before)


def test_without_augmentation_views_are_plain() -> None:
    images = [make_image(90, 70), make_image(50, 81)]
    config = ImageAugmentationConfig(enabled=False)
    assert torch.equal(random_views(images, config, SIZE, [(0,), (1,)], CPU), plain_views(images, SIZE, CPU))


def test_plain_view_pads_to_a_square_with_black() -> None:
    view = plain_views([np.full((SIZE, SIZE // 2), 255, dtype=np.uint8)], SIZE, CPU)[0, 0]
    assert (view[:, : SIZE // 4] == 0).all()
    assert (view[:, SIZE // 4 : -SIZE // 4] == 1).all()
    assert (view[:, -SIZE // 4 :] == 0).all()


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 60), width=st.integers(1, 60), seed=st.integers(0, 2**32), levels=st.integers(0, 255))
def test_views_of_a_flat_image_never_leave_the_range(height: int, width: int, seed: int, levels: int) -> None:
    image = np.full((height, width), levels, dtype=np.uint8)
    view = random_views([image], CONFIG, 32, [(seed,)], CPU)
    assert torch.isfinite(view).all()
    assert 0 <= view.min() <= view.max() <= 1


def test_blur_keeps_single_precision_under_mixed_precision() -> None:
    images, seeds = [make_image(80, 80)] * 2, [(0,), (1,)]
    expected = random_views(images, CONFIG, SIZE, seeds, CPU)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(random_views(images, CONFIG, SIZE, seeds, CPU), expected)


@pytest.mark.gpu
def test_views_on_a_gpu_are_near_to_those_on_the_cpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    images, seeds = [make_image(300, 260, row) for row in range(4)], [(row,) for row in range(4)]
    on_cpu = random_views(images, CONFIG, 224, seeds, CPU)
    on_gpu = random_views(images, CONFIG, 224, seeds, torch.device("cuda"))
    assert on_gpu.is_cuda
    differences = (on_gpu.cpu() - on_cpu).abs() * 255
    assert (differences <= 1.01).float().mean() > 0.99


@pytest.mark.vectors
def test_plain_views_equal_the_reference(vectors_folder: Path) -> None:
    arrays = np.load(vectors_folder / "19_transforms.npz")
    cases = json.loads((vectors_folder / "19_transforms.json").read_text(encoding="utf-8"))
    padded = [name for name, case in cases.items() if case["val_resize_mode"] == "pad"]
    assert padded
    views = plain_views([arrays[f"{name}/image"] for name in padded], 224, CPU)
    for name, view in zip(padded, views, strict=True):
        expected = arrays[f"{name}/resized_uint8"].astype(np.float32)
        assert np.abs(view[0].numpy() * 255 - expected).max() <= 1.001, name
