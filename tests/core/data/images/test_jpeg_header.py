"""Frames of JPEG streams."""

import io

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.images.jpeg_header import JpegFrame, read_frame


def save(mode, **options):
    """A stream of 30 x 20 pixels."""
    file = io.BytesIO()
    Image.fromarray(np.zeros((20, 30), np.uint8)).convert(mode).save(file, format="JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"comment": b"x" * 500, "exif": b"Exif\0\0" + b"y" * 99}]
)
@pytest.mark.parametrize(("mode", "num_components"), [("L", 1), ("RGB", 3), ("CMYK", 4)])
def test_frames_that_pillow_writes(mode, num_components, options):
    assert read_frame(save(mode, **options)) == JpegFrame(8, height=20, width=30, num_components=num_components)


def test_a_stream_that_ends_in_its_header_has_no_frame():
    stream = save("L")
    scan = stream.index(b"\xff\xda")
    assert read_frame(stream[: scan + 10]) is not None
    assert all(read_frame(stream[:length]) is None for length in range(scan + 10))


@pytest.mark.parametrize(
    ("before", "after"), [(b"\xff\xc4", b"\xff\xfe"), (b"\xff\xc0", b"\xff\xfe"), (b"\xff\xd8", b"\xff\xd9")]
)
def test_a_stream_without_tables_frame_or_start_has_no_frame(before, after):
    assert read_frame(save("L").replace(before, after)) is None


def test_other_bytes():
    assert read_frame(b"") is None
    assert read_frame(b"\xff\xd8" + bytes(100)) is None
