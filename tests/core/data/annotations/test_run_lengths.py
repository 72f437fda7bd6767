"""Run lengths to masks and back, against the reference vectors, a plain loop and hand-made rasters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lovt_core.data.annotations.run_lengths import decode_runs, encode_runs, find_fault
from lovt_core.errors import DataError


@pytest.mark.vectors("16_rle")
def test_masks_of_the_reference(case):
    side = round(np.sqrt(case.arrays["mask_packed"].size * 8))
    reference = np.unpackbits(case.arrays["mask_packed"]).reshape(side, side).astype(bool)
    united = np.zeros_like(reference)
    for text in case.settings["rle"]:
        united |= decode_runs(text, side, side)
    assert np.array_equal(united, reference)
    assert united.sum() == case.settings["positive_pixels"]
    assert united.mean() == pytest.approx(float(case.arrays["positive_fraction"]), abs=1e-6)


def test_pixels_are_counted_column_by_column():
    """Offset 1 from the top of the first of two columns of three; then from the end of the run before."""
    mask = decode_runs("1 1 2 2", 3, 2)
    assert mask.astype(int).tolist() == [[0, 0], [1, 1], [0, 1]]
    assert encode_runs(mask) == "1 1 2 2"


def decode_slowly(text, height, width):
    """Pixel by pixel, as the description reads."""
    flat = [False] * (height * width)
    numbers = [int(token) for token in text.split()]
    position = 0
    for offset, length in zip(numbers[::2], numbers[1::2], strict=True):
        position += offset
        for pixel in range(position, min(position + length, len(flat))):
            flat[pixel] = True
        position += length
    return np.array(flat).reshape(width, height).T


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9)), min_size=1, max_size=8))
def test_any_runs_as_in_a_plain_loop(pairs):
    text = " ".join(f"{offset} {length}" for offset, length in pairs)
    assert np.array_equal(decode_runs(text, 7, 5), decode_slowly(text, 7, 5))


@settings(deadline=None)
@given(arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_encoding_is_the_inverse(mask):
    text = encode_runs(mask)
    assert find_fault(text, *mask.shape) is None
    assert np.array_equal(decode_runs(text, *mask.shape), mask)


def test_no_mask():
    assert encode_runs(np.zeros((4, 3), dtype=bool)) == "-1"
    assert not decode_runs(" -1 ", 4, 3).any()
    assert find_fault(" -1 ", 4, 3) is None


def test_runs_past_the_end_are_cut_off():
    assert decode_runs("10 99999999999", 4, 3)[:, 2].tolist() == [False, False, True, True]
    assert decode_runs("13 5", 4, 3).sum() == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "neither runs nor -1"),
        ("5", "1 numbers, which are no pairs"),
        ("5 2 3", "3 numbers"),
        ("5 two", "two is no whole number"),
        ("5 2.0", "2.0 is no whole number"),
        ("1_0 2", "1_0 is no whole number"),
        ("٣ 2", "is no whole number"),
        ("-5 2", "the number -5 is negative"),
        ("-1 -1", "the number -1 is negative"),
        ("9" * 5000 + " 1", "9999... is no whole number"),
    ],
)
def test_texts_that_are_no_runs(text, said):
    assert said in str(find_fault(text, 4, 3))
    assert len(str(find_fault(text, 4, 3))) < 100
    with pytest.raises(DataError, match=r"run lengths: "):
        decode_runs(text, 4, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5 2 1 0", "run 2 has no pixels"),
        ("10 3", "the runs end at pixel 13, outside a raster of 3 x 4"),
        ("10 2 1 1", "the runs end at pixel 14"),
    ],
)
def test_runs_that_cannot_be_meant(text, said):
    assert said in str(find_fault(text, 4, 3))
    decode_runs(text, 4, 3)


def test_runs_that_end_with_the_raster():
    assert find_fault("10 2", 4, 3) is None
