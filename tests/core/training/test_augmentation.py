"""Views against torchvision and Pillow given the same parameters, and what must hold for any image and any draw."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as oracle

from lovt_core.config.data import ImageAugmentationConfig
from lovt_core.data.prepared import Bytes
from lovt_core.training.augmentation import plain_views, random_views, render_views
from lovt_core.training.view_parameters import Crop, ViewParameters, draw_view

CPU = torch.device("cpu")
SIZE = 64
CONFIG = ImageAugmentationConfig()
Levels = npt.NDArray[np.int64]


def make_image(height: int, width: int, seed: int = 0) -> Bytes:
    """Smooth shapes with some noise and a sharp edge, read-only as prepared images are."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = 110 + 70 * np.sin(rows / 9 + seed) * np.cos(columns / 7) + 40 * (columns > width / 3)
    image = np.clip(waves + generator.normal(0, 8, (height, width)), 0, 255).astype(np.uint8)
    image.flags.writeable = False
    return image


def whole(image: Bytes) -> Crop:
    return Crop(0, 0, *image.shape)


def render(image: Bytes, view: ViewParameters, size: int = SIZE) -> Levels:
    """(S, S) grey levels of one view."""
    levels = (render_views([image], [view], size, CPU)[0, 0] * 255).round()
    return levels.numpy().astype(np.int64)


def apply_oracle(image: Bytes, view: ViewParameters, size: int = SIZE) -> Levels:
    """(S, S) grey levels by the published pipeline's library on Pillow images."""
    crop = view.crop
    picture = oracle.resized_crop(
        Image.fromarray(image), crop.top, crop.left, crop.height, crop.width, [size, size], InterpolationMode.BILINEAR
    )
    if view.flip:
        picture = oracle.hflip(picture)
    picture = oracle.affine(
        picture, view.angle, list(view.shift), view.scale, [0.0, 0.0], InterpolationMode.NEAREST, fill=0
    )
    adjustments: list[tuple[Callable[..., Image.Image], float]] = [
        (oracle.adjust_brightness, view.brightness),
        (oracle.adjust_contrast, view.contrast),
    ]
    for adjust, factor in reversed(adjustments) if view.contrast_first else adjustments:
        picture = adjust(picture, factor)
    if view.blur_sigma is not None:
        picture = oracle.gaussian_blur(picture, [23, 23], [view.blur_sigma, view.blur_sigma])
    return np.asarray(picture).astype(np.int64)


def share_within(got: Levels, expected: Levels, levels: int) -> float:
    return float((abs(got - expected) <= levels).mean())


@pytest.mark.parametrize(
    ("height", "width", "crop"),
    [
        (80, 100, Crop(5, 10, 70, 82)),  # shrunk a little
        (900, 700, Crop(40, 60, 800, 610)),  # shrunk a lot: needs antialiasing
        (300, 70, Crop(0, 3, 300, 40)),  # shrunk one way, enlarged the other
        (30, 30, Crop(2, 2, 20, 25)),  # enlarged
        (SIZE, SIZE, Crop(0, 0, SIZE, SIZE)),
    ],
)
def test_resized_crop_equals_pillow(height: int, width: int, crop: Crop) -> None:
    image = make_image(height, width)
    view = ViewParameters(crop)
    got, expected = render(image, view), apply_oracle(image, view)
    assert share_within(got, expected, 1) == 1
    assert abs((got - expected).mean()) < 0.1  # rounded, not cut


def test_flip_equals_oracle() -> None:
    image = make_image(SIZE, SIZE)
    view = ViewParameters(whole(image), flip=True)
    np.testing.assert_array_equal(render(image, view), apply_oracle(image, view))


@pytest.mark.parametrize("shift", [(5, 0), (0, -7), (-3, 4), (63, 0), (200, 0)])
def test_whole_pixel_shift_equals_oracle(shift: tuple[int, int]) -> None:
    image = make_image(SIZE, SIZE)
    view = ViewParameters(whole(image), shift=shift)
    np.testing.assert_array_equal(render(image, view), apply_oracle(image, view))


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    ("angle", "shift", "scale"),
    [(20.0, (0, 0), 1.0), (-13.7, (6, -5), 0.95), (3.0, (-6, 2), 1.05), (0.0, (1, 1), 1.043)],
)
def test_affine_equals_oracle(angle: float, shift: tuple[int, int], scale: float, flip: bool) -> None:
    image = make_image(224, 224)
    view = ViewParameters(whole(image), flip=flip, angle=angle, shift=shift, scale=scale)
    # Pillow steps through the image in fixed-point numbers: on the border between two pixels it may take the other one
    assert share_within(render(image, view, 224), apply_oracle(image, view, 224), 0) > 0.995


def test_outside_of_the_crop_is_black_even_inside_the_image() -> None:
    image = np.full((SIZE, SIZE), 255, dtype=np.uint8)
    levels = render(image, ViewParameters(Crop(16, 16, 32, 32), shift=(8, 0)))
    assert (levels[:, :8] == 0).all()
    assert (levels[:, 8:] == 255).all()


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


@pytest.mark.parametrize("seed", range(6))
def test_whole_view_is_near_to_the_published_pipeline(seed: int) -> None:
    image = make_image(300, 260, seed)
    view = draw_view(image.shape, CONFIG, 224, np.random.default_rng(seed))
    got, expected = render(image, view, 224), apply_oracle(image, view, 224)
    assert share_within(got, expected, 2) > 0.99
    assert abs(got - expected).mean() < 0.7  # of 255 levels


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
    images = [make_image(60 + 9 * row, 150 - 7 * row, row) for row in range(9)]
    seeds = [(7, row) for row in range(9)]
    views = random_views(images, CONFIG, SIZE, seeds, CPU)
    rows = list(order)
    others = random_views([images[row] for row in rows], CONFIG, SIZE, [seeds[row] for row in rows], CPU)
    assert torch.equal(others, views[rows])


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
