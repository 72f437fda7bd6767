"""DICOM files that cannot be read: one sentence each, nothing on the terminal, no crash."""

import subprocess
import sys

import numpy as np
import pydicom
import pytest
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from lovt_core.data.images.dicom import load_dicom
from lovt_core.data.images.loading import load_image
from lovt_core.errors import DataError
from tests.core.data.factories import draw_film
from tests.core.data.images.dicom_factory import (
    RAMP,
    build_dataset,
    load,
    write,
    write_grey,
    write_jpeg,
    write_jpeg_lossless,
)


def cut(path, share):
    """Keep the beginning of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


@pytest.mark.parametrize("share", [0.6, 0.9])
def test_truncated_files(path, share):
    film = draw_film(0)
    for written in (write_grey(path, film), write_jpeg(path, film), write_jpeg_lossless(path, film, 8)):
        with pytest.raises(DataError, match=r"film.dcm: (damaged DICOM file \(.+\)|a DICOM file that is cut off)$"):
            load_dicom(cut(written, share))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (b"\xff\xc4\x00\x1b", b"\xff\xc5\x00\x1b", "its JPEG stream is not the image that its header promises"),
        (b"\xff\xc3\x00\x0b\x10\x00", b"\xff\xc3\x00\x0b\x10\x0f", "its JPEG stream is not the image"),
        (b"\xff\xc3\x00\x0b\x10", b"\xff\xc3\x00\x0b\x5e", "samples of 94 bits, its header allows 16"),
    ],
)
def test_streams_that_would_crash_the_decoder(path, before, after, said):
    content = write_jpeg_lossless(path, draw_film(0).astype(np.uint16) * 16, 12).read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after))
    with pytest.raises(DataError, match=said):
        load_dicom(path)


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        ({"NumberOfFrames": 2}, "2 frames; an X-ray is a single frame"),
        ({"Rows": 0}, "damaged DICOM file"),
        ({"Rows": 65535, "Columns": 65535}, "65535 x 65535 pixels are too many"),
        ({"BitsAllocated": 12}, "damaged DICOM file"),
        ({"SamplesPerPixel": 7}, "damaged DICOM file"),
        ({"PhotometricInterpretation": ""}, "damaged DICOM file"),
    ],
)
def test_headers_that_promise_something_else(path, elements, said):
    with pytest.raises(DataError, match=f"film.dcm: {said}") as caught:
        load_dicom(write_grey(path, RAMP.astype(np.uint8), **elements))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["Rows", "BitsAllocated", "PhotometricInterpretation"])
def test_headers_with_gaps(path, missing):
    dataset = build_dataset(RAMP.astype(np.uint8))
    delattr(dataset, missing)
    with pytest.raises(DataError, match=f"film.dcm: damaged DICOM file .*{missing}"):
        load_dicom(write(path, dataset))


def test_files_that_hold_no_image(path):
    with pytest.raises(DataError, match=r"film\.dcm: the file is missing$"):
        load_image(path)
    path.touch()
    with pytest.raises(DataError, match=r"film\.dcm: the file is empty$"):
        load_image(path)
    path.write_bytes(b"no X-ray at all" * 30)
    with pytest.raises(DataError, match=r"film\.dcm: not a DICOM file$"):
        load_image(path)
    dataset = build_dataset(RAMP.astype(np.uint8))
    del dataset.PixelData
    with pytest.raises(DataError, match=r"film\.dcm: a DICOM file without pixels$"):
        load_image(write(path, dataset))


def test_a_missing_decoder_is_named(path, monkeypatch):
    write_jpeg_lossless(path, draw_film(0), 8)
    monkeypatch.setattr(get_decoder(JPEGLosslessSV1), "_available", {})
    with pytest.raises(DataError, match=r"JPEG Lossless.*1\.2\.840\.10008\.1\.2\.4\.70.*not installed") as caught:
        load_image(path)
    assert str(caught.value).endswith('pip install "lovt-tui[dicom]"')


@pytest.mark.parametrize(
    ("syntax", "said"),
    [
        (JPEGExtended12Bit, r"JPEG Extended.* cannot be decoded with 12 bits"),
        ("1.2.840.10008.1.2.4.100", r"MPEG2.* cannot be decoded; convert"),
        ("1.2.3.4", r"transfer syntax 1\.2\.3\.4 cannot be decoded"),
    ],
)
def test_compressions_without_any_decoder(path, syntax, said):
    dataset = build_dataset(RAMP.astype(np.uint16), 12)
    dataset.compress(RLELossless)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    pydicom.dcmwrite(path, dataset, enforce_file_format=True, implicit_vr=False, little_endian=True)
    with pytest.raises(DataError, match=said):
        load_image(path)


def test_odd_headers_stay_silent(path, capfd):
    """Values that pydicom warns of; warnings are errors here, and nothing reaches the terminal."""
    write_grey(path, RAMP.astype(np.uint8), StudyDate="20240101", PatientAge="071Y")
    content = (
        path.read_bytes()
        .replace(b"20240101", b"no date!")
        .replace(b"071Y", b"????")
        .replace(b"2.25.4711", b"2..5.4711")
    )
    path.write_bytes(content)
    assert load(path).tolist() == RAMP.tolist()
    assert capfd.readouterr() == ("", "")


def complaint(path):
    """What is said of a file; None where it can be read."""
    try:
        load_dicom(path)
    except DataError as error:
        return str(error)
    return None


@pytest.mark.parametrize("kind", ["plain", "jpeg", "rle"])
def test_random_damage_gives_an_image_or_one_sentence(path, kind):
    generator = np.random.default_rng(len(kind))
    film = draw_film(0)
    dataset = build_dataset(film.astype(np.uint16) * 16, 12)
    if kind == "rle":
        dataset.compress(RLELossless)
    content = (write_jpeg(path, film) if kind == "jpeg" else write(path, dataset)).read_bytes()
    for _ in range(60):
        damaged = bytearray(content)
        for place in generator.integers(132, min(len(content), 900), 4):
            damaged[place] = generator.integers(256)
        path.write_bytes(damaged)
        said = complaint(path)
        assert said is None or (said.startswith(f"{path}: ") and "\n" not in said)


def test_pydicom_is_imported_only_to_decode():
    code = (
        "import sys, lovt_core.data.images.loading, lovt_core.data.sources.rsna, lovt_core.data.sources.siim;"
        "import lovt_core.data.synthetic.layouts.rsna, lovt_core.data.synthetic.layouts.siim;"
        "assert 'pydicom' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
