"""Images as they come in the wild."""

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.images.loading import load_grey, load_image, load_mask, to_channel_mean
from lovt_core.errors import DataError
from tests.core.data.factories import draw_film

RAMP = np.tile(np.linspace(0, 255, 64).round().astype(np.uint8), (48, 1))


def saved(tmp_path, image, suffix=".png", **options):
    path = tmp_path / f"film{suffix}"
    image.save(path, **options)
    return path


def test_8_bit_grey_is_taken_as_it_is(tmp_path):
    assert np.array_equal(load_grey(saved(tmp_path, Image.fromarray(RAMP))), RAMP)


@pytest.mark.parametrize(
    ("dtype", "low", "high", "suffix"),
    [
        (np.uint16, 0, 65535, ".png"),
        (np.uint16, 120, 4095, ".png"),
        (np.uint16, 120, 4095, ".tif"),
        (np.int32, -1000, 3000, ".tif"),
        (np.float32, -0.5, 7.25, ".tif"),
    ],
)
def test_wide_samples_are_scaled_by_their_own_range(tmp_path, dtype, low, high, suffix):
    wide = (low + RAMP.astype(np.float64) / 255 * (high - low)).astype(dtype)
    grey = load_grey(saved(tmp_path, Image.fromarray(wide), suffix))
    assert np.abs(grey.astype(int) - RAMP).max() <= 1
    assert (grey.min(), grey.max()) == (0, 255)


def test_wide_image_of_one_level_is_black(tmp_path):
    constant = np.full((4, 5), 900, dtype=np.uint16)
    assert not load_grey(saved(tmp_path, Image.fromarray(constant))).any()


def test_colour_becomes_luma_or_the_mean_of_the_channels(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    image = load_image(saved(tmp_path, Image.fromarray(colours)))
    levels, values = to_channel_mean(image)
    assert np.array_equal(values[levels], (colours / 255).mean(axis=-1))
    luma = colours @ np.array([0.299, 0.587, 0.114])
    assert np.abs(load_grey(saved(tmp_path, Image.fromarray(colours))) - luma).max() <= 1


def test_grey_stored_as_colour_keeps_its_levels(tmp_path):
    levels, values = to_channel_mean(load_image(saved(tmp_path, Image.fromarray(RAMP).convert("RGB"))))
    assert np.array_equal(levels, RAMP)
    assert np.allclose(values, np.arange(256) / 255)


def test_transparency_lies_over_black(tmp_path):
    alpha = np.full(RAMP.shape, 255, dtype=np.uint8)
    alpha[:10] = 0
    image = Image.merge("RGBA", [Image.fromarray(plane) for plane in (RAMP, RAMP, RAMP, alpha)])
    grey = load_grey(saved(tmp_path, image))
    assert not grey[:10].any()
    assert np.array_equal(grey[10:], RAMP[10:])


def test_alpha_channel_that_hides_everything_is_ignored(tmp_path):
    hidden = Image.fromarray(np.zeros_like(RAMP))
    image = Image.merge("RGBA", [*[Image.fromarray(RAMP)] * 3, hidden])
    assert np.array_equal(load_grey(saved(tmp_path, image)), RAMP)


@pytest.mark.parametrize("mode", ["LA", "1", "CMYK", "YCbCr"])
def test_other_modes(tmp_path, mode):
    suffix = ".jpg" if mode in ("CMYK", "YCbCr") else ".png"
    options = {"quality": 95} if suffix == ".jpg" else {}
    source = np.where(RAMP > 127, 255, 0).astype(np.uint8) if mode == "1" else RAMP
    path = saved(tmp_path, Image.fromarray(source).convert("RGB").convert(mode), suffix, **options)
    with Image.open(path) as stored:
        assert stored.mode == ("RGB" if mode == "YCbCr" else mode)
    grey = load_grey(path)
    assert grey.shape == RAMP.shape
    assert np.abs(grey.astype(int) - source).max() <= 6


def test_palette(tmp_path):
    path = saved(tmp_path, Image.fromarray(RAMP).convert("RGB").quantize(256))
    with Image.open(path) as stored:
        assert stored.mode == "P"
    assert np.abs(load_grey(path).astype(int) - RAMP).max() <= 4


def test_palette_with_transparency(tmp_path):
    palette = Image.fromarray(RAMP).quantize(16)
    grey = load_grey(saved(tmp_path, palette, transparency=0))
    assert grey.shape == RAMP.shape


@pytest.mark.parametrize(("orientation", "turned"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_exif_rotation_is_applied(tmp_path, orientation, turned):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, Image.fromarray(RAMP), ".jpg", exif=exif, quality=100)
    grey = load_grey(path)
    assert np.abs(grey.astype(int) - np.rot90(RAMP, turned)).max() <= 4


@pytest.mark.parametrize("shape", [(50, 1), (1, 50), (1, 1)])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_one_pixel_wide(tmp_path, shape, suffix):
    assert load_grey(saved(tmp_path, Image.fromarray(np.full(shape, 90, dtype=np.uint8)), suffix)).shape == shape


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.98])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_truncated_files_are_named(tmp_path, share, suffix):
    path = saved(tmp_path, Image.fromarray(draw_film(3, 300, 300)), suffix)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError) as caught:
        load_grey(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "the file is empty"), (b"<html>not found</html>", "not an image of a known format")],
)
def test_no_image_at_all(tmp_path, content, message):
    path = tmp_path / "film.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"film.png: {message}"):
        load_grey(path)


def test_missing_file_folder_and_too_many_pixels(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"absent\.png: the file is missing"):
        load_grey(tmp_path / "absent.png")
    with pytest.raises(DataError, match="a folder, where an image is expected"):
        load_grey(tmp_path)
    path = saved(tmp_path, Image.fromarray(RAMP))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DataError, match="damaged image"):
        load_grey(path)


def test_values_that_are_not_finite(tmp_path):
    values = RAMP.astype(np.float32)
    values[0, 0] = np.nan
    with pytest.raises(DataError, match="it holds values that are not finite"):
        load_grey(saved(tmp_path, Image.fromarray(values), ".tif"))


@pytest.mark.parametrize("positive", [1, 255])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1"])
def test_masks_of_two_values(tmp_path, positive, mode):
    mask = np.zeros((6, 8), dtype=np.uint8)
    mask[2:4, 3:7] = 255 if mode == "1" else positive
    assert np.array_equal(load_mask(saved(tmp_path, Image.fromarray(mask).convert(mode))), mask > 0)


def test_masks_of_other_values_are_refused(tmp_path):
    with pytest.raises(
        DataError, match=r"a mask holds 0 and 1 \(or 0 and 255\), this file holds 0, 4, 8, 12, 16, \.\.\."
    ):
        load_mask(saved(tmp_path, Image.fromarray(RAMP)))


def test_mask_without_lesion(tmp_path):
    assert not load_mask(saved(tmp_path, Image.fromarray(np.zeros((3, 4), dtype=np.uint8)))).any()
