"""DICOM files of all kinds to 8 bits: what is stored, and what is measured."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_windowing
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    RLELossless,
)

from lovt_core.data.images.dicom import is_dicom
from lovt_core.data.images.loading import load_image
from tests.core.data.factories import draw_film
from tests.core.data.images.dicom_factory import (
    RAMP,
    build_dataset,
    load,
    lookup_table,
    write,
    write_grey,
    write_jpeg,
    write_jpeg_lossless,
)


def as_shares(values):
    """Values spread from 0 to 255."""
    values = np.asarray(values, dtype=float)
    return np.rint(255 * (values - values.min()) / (values.max() - values.min())).astype(int).tolist()


@pytest.mark.parametrize("container", [np.uint8, np.uint16])
def test_stored_8_bit_grey_is_left_alone(path, container):
    values = (RAMP // 2 + 40).astype(container)
    window = {"WindowCenter": 80, "WindowWidth": 20, "RescaleSlope": 2, "RescaleIntercept": -1000}
    for elements in ({}, window, {"VOILUTSequence": [lookup_table(np.arange(256)[::-1], 0, 8)]}):
        assert load(write_grey(path, values, 8, **elements)).tolist() == values.tolist()
    assert load_image(path).mode == "L"


def test_monochrome1_is_inverted(path):
    inverted = {"PhotometricInterpretation": "MONOCHROME1"}
    assert load(write_grey(path, RAMP.astype(np.uint8), **inverted)).tolist() == (255 - RAMP).tolist()
    assert load(write_grey(path, RAMP.astype(np.uint16), 10, **inverted)).tolist() == as_shares(-RAMP)


@pytest.mark.parametrize(("bits", "container"), [(6, "u1"), (10, "u2"), (12, "u2"), (14, "u2"), (16, "u2"), (32, "u4")])
def test_wide_values_are_spread_by_their_own_range(path, bits, container):
    values = (RAMP * (2**bits - 1) // 400).astype(container)
    assert load(write_grey(path, values, bits)).tolist() == as_shares(values)


@pytest.mark.parametrize(("bits", "container"), [(8, "i1"), (12, "i2"), (16, "i2")])
def test_signed_values(path, bits, container):
    values = ((RAMP - 125) * (2 ** (bits - 1) - 1) // 130).astype(container)
    assert values.min() < 0 < values.max()
    assert load(write_grey(path, values, bits)).tolist() == as_shares(values)


def test_unused_bits_are_not_values(path):
    values = RAMP.astype(np.uint16)
    assert load(write_grey(path, values | 0xF000, 12)).tolist() == as_shares(values)


def test_one_value_is_black(path):
    assert not load(write_grey(path, np.full((3, 3), 700, np.uint16), 12)).any()


def test_a_negative_slope_turns_grey_round(path):
    values = RAMP.astype(np.uint16)
    assert load(write_grey(path, values, 12, RescaleSlope=-2, RescaleIntercept=7)).tolist() == as_shares(-RAMP)


def test_a_modality_lookup_table_comes_first(path):
    table = lookup_table(np.array([10, 500, 20, 300]), 0, 16)
    table.ModalityLUTType = "US"
    stored = np.array([[0, 1, 2, 3]], dtype=np.uint16)
    assert load(write_grey(path, stored, 12, ModalityLUTSequence=[table])).tolist() == as_shares([[10, 500, 20, 300]])


def test_linear_window_as_written_in_the_standard(path):
    """Centre 2048, width 4 on values 2044 to 2051: black up to 2046, white from 2049 on, thirds between."""
    values = np.arange(2044, 2052, dtype=np.uint16)[None]
    pixels = load(write_grey(path, values, 12, WindowCenter=2048, WindowWidth=4))
    assert pixels.tolist() == [[0, 0, 0, 85, 170, 255, 255, 255]]
    pixels = load(write_grey(path, values, 12, WindowCenter=2048, WindowWidth=4, VOILUTFunction="LINEAR_EXACT"))
    assert pixels.tolist() == [[0, 0, 0, 64, 128, 191, 255, 255]]
    assert load(write_grey(path, values, 12, WindowCenter=2048, WindowWidth=1)).tolist() == [[0] * 4 + [255] * 4]


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("representation", "bits"), [("u2", 12), ("u2", 16), ("i2", 12)])
def test_windows_agree_with_those_of_pydicom(path, function, representation, bits):
    values = np.random.default_rng(0).integers(0, 2 ** (bits - 1), (20, 30)).astype(representation)
    window = {"WindowCenter": [900, 5], "WindowWidth": [700, 5], "VOILUTFunction": function}
    dataset = build_dataset(values, bits, **window)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if representation == "i2" else (0, 2**bits - 1)
    expected = np.rint(255 * (apply_windowing(values, dataset) - low) / (high - low))
    assert np.abs(load(write(path, dataset)) - expected).max() <= 1


def test_a_window_acts_on_rescaled_values(path):
    values = np.array([[0, 100, 200]], dtype=np.uint16)
    elements = {"RescaleSlope": 2, "RescaleIntercept": -200, "WindowCenter": 0.5, "WindowWidth": 401}
    assert load(write_grey(path, values, 12, **elements)).tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("window", [{"WindowCenter": 5, "WindowWidth": 0}, {"WindowCenter": 5}, {"WindowWidth": 5}])
def test_a_window_without_width_or_centre_is_none(path, window):
    assert load(write_grey(path, RAMP.astype(np.uint16), 12, **window)).tolist() == as_shares(RAMP)


def test_the_voi_lookup_table_goes_before_the_window(path):
    table = lookup_table(np.array([0, 1023, 512, 256]), 100, 10)
    elements = {"VOILUTSequence": [table], "WindowCenter": 5, "WindowWidth": 2}
    stored = np.array([[50, 100, 101, 102, 103, 900]], dtype=np.uint16)
    assert load(write_grey(path, stored, 12, **elements)).tolist() == [[0, 0, 255, 128, 64, 64]]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_does_not_count(path, photometric):
    values = np.array([[4000, 4000, 100], [200, 300, 4001]], dtype=np.uint16)
    elements = {"PhotometricInterpretation": photometric, "PixelPaddingValue": 4000, "PixelPaddingRangeLimit": 4095}
    seen = load(write_grey(path, values, 12, **elements)).tolist()
    first, last = (255, 0) if photometric == "MONOCHROME1" else (0, 255)
    assert seen == [[0, 0, first], [128 if photometric == "MONOCHROME2" else 127, last, 0]]


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian])
def test_signed_padding(path, syntax):
    dataset = build_dataset(np.array([[-2000, 0, 10]], dtype=np.int16), PixelPaddingValue=-2000)
    dataset["PixelPaddingValue"].VR = "SS"
    if syntax is not None:
        dataset.file_meta.TransferSyntaxUID = syntax
    assert load(write(path, dataset)).tolist() == [[0, 0, 255]]


def test_only_padding(path):
    assert not load(write_grey(path, np.full((2, 2), 9, np.uint16), 12, PixelPaddingValue=9)).any()


def test_colour_is_rgb(path):
    colour = np.random.default_rng(1).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    assert load_image(write_grey(path, colour)).mode == "RGB"
    assert np.array_equal(load(path), colour)
    wide = colour.astype(np.uint16) << 8 | 77
    assert np.array_equal(load(write_grey(path, wide)), colour)
    twelve = colour.astype(np.uint16) << 4 | 7
    assert np.array_equal(load(write_grey(path, twelve, 12)), colour)


def test_ybr_is_turned_into_rgb(path):
    colour = np.asarray(Image.effect_noise((6, 4), 60).convert("RGB").convert("YCbCr"))
    seen = load(write_grey(path, colour, PhotometricInterpretation="YBR_FULL"))
    assert np.abs(seen - np.asarray(Image.fromarray(colour, "YCbCr").convert("RGB")).astype(int)).max() <= 2


def test_palettes(path):
    dataset = build_dataset(np.array([[0, 1, 2]], dtype=np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for colour, entries in (("Red", (255, 0, 9)), ("Green", (0, 255, 9)), ("Blue", (1, 2, 9))):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [3, 0, 16])
        data = (np.array(entries, dtype=np.uint16) << 8).tobytes()
        setattr(dataset, f"{colour}PaletteColorLookupTableData", data)
    assert load(write(path, dataset)).tolist() == [[[255, 0, 1], [0, 255, 2], [9, 9, 9]]]


@pytest.mark.parametrize(
    "syntax", [RLELossless, JPEG2000Lossless, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
)
@pytest.mark.parametrize(("bits", "container"), [(8, "u1"), (12, "u2"), (16, "u2"), (12, "i2")])
def test_lossless_transfer_syntaxes(path, syntax, bits, container):
    values = (draw_film(3).astype(np.int32) * (2**bits - 1) // 255 - (2**11 if container == "i2" else 0)).astype(
        container
    )
    plain = load(write_grey(path, values, bits))
    dataset = build_dataset(values, bits)
    if syntax.is_encapsulated:
        dataset.compress(syntax)
    else:
        dataset.file_meta.TransferSyntaxUID = syntax
    assert np.array_equal(load(write(path, dataset)), plain)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == syntax


@pytest.mark.parametrize(("bits", "container"), [(8, "u1"), (12, "u2"), (16, "u2")])
def test_jpeg_lossless(path, bits, container):
    values = (draw_film(3).astype(np.int32) * (2**bits - 1) // 255).astype(container)
    plain = load(write_grey(path, values, bits))
    assert np.array_equal(load(write_jpeg_lossless(path, values, bits)), plain)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == JPEGLosslessSV1


def test_jpeg_ls(path):
    """Only read: the file is one of those that come with pydicom."""
    plain, packed = (get_testdata_file(f"MR_small{kind}.dcm", download=False) for kind in ("", "_jpeg_ls_lossless"))
    assert np.array_equal(load(Path(packed)), load(Path(plain)))


def test_jpeg_2000_needs_nothing_but_pillow(path, monkeypatch):
    values = draw_film(3).astype(np.uint16) * 16
    plain = load(write_grey(path, values, 12))
    dataset = build_dataset(values, 12)
    dataset.compress(JPEG2000Lossless)
    decoder = get_decoder(JPEG2000Lossless)
    monkeypatch.setattr(decoder, "_available", {"pillow": decoder._available["pillow"]})
    assert np.array_equal(load(write(path, dataset)), plain)


def decode_embedded(path):
    """The JPEG inside of a file as Pillow reads it."""
    return np.asarray(
        Image.open(io.BytesIO(next(generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1))))
    )


def test_jpeg_baseline(path):
    write_jpeg(path, draw_film(5))
    assert np.array_equal(load(path), decode_embedded(path))
    colour = np.stack([draw_film(seed) for seed in range(3)], axis=-1)
    assert np.abs(load(write_jpeg(path, colour)) - decode_embedded(path).astype(int)).max() <= 2


def test_a_real_film_comes_out_as_stored(data_folder):
    (path,) = (data_folder / "siim").glob("*.dcm")
    pixels = load(path)
    assert pixels.shape == (1024, 1024)
    assert np.array_equal(pixels, decode_embedded(path))
    assert (pixels.min(), pixels.max()) == (0, 254)


def test_dicom_is_known_by_its_suffix_or_its_first_bytes(tmp_path):
    nameless = write_grey(tmp_path / "IM0001", RAMP.astype(np.uint8))
    assert load(nameless).tolist() == RAMP.tolist()
    Image.fromarray(draw_film(0)).save(tmp_path / "film.png")
    assert [is_dicom(tmp_path / name) for name in ("a.dcm", "b.DCM", "IM0001", "film.png", "absent", ".")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
