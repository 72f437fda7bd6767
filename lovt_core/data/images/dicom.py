"""DICOM files to 8-bit images.

What is stored as unsigned 8-bit grey comes out as it is stored: neither rescaled nor windowed. Such files are pictures
made for display, as those of the RSNA and SIIM challenges (JPEG baseline, MONOCHROME2), whose pixels the protocol takes
as they are; a window in the header of such a file has done its work already.

All other grey values are what a detector measured. They go the way that DICOM lays down (PS3.3, C.11): modality lookup
table or rescaling, then the first VOI lookup table, or else the first window (LINEAR, LINEAR_EXACT, SIGMOID). Where
the file has neither, or a window without width, the range of the image's own values is spread, smallest to 0 and
largest to 255, as in other files wider than 8 bits. Padding (a value or range of values outside the exposed field)
becomes black and does not count for the range. MONOCHROME1 is inverted last, so that air is always dark.

Colour comes out as RGB, 16 bits a channel cut to the upper 8.
"""

import struct
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from lovt_core.data.images.jpeg_header import read_frame
from lovt_core.errors import DataError

if TYPE_CHECKING:
    from pydicom import Dataset

SUFFIXES = (".dcm", ".dicom")
MAX_PIXELS = 1 << 28
"""A header can promise four thousand million pixels; no detector has a sixteenth of that."""
_MAGIC, _MAGIC_OFFSET = b"DICM", 128
_NEEDED = ("Rows", "Columns", "PhotometricInterpretation", "BitsAllocated")
_EXTRA = 'pip install "lovt-tui[dicom]"'
_LONGEST = 150
_OPENJPEG = ("pylibjpeg", "pillow")
_READING_ERRORS = (
    AttributeError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    ArithmeticError,
    AssertionError,
    EOFError,
    OSError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What pydicom and its decoders raise for damaged files."""

Values = npt.NDArray[Any]
Grey = npt.NDArray[np.uint8]


def is_dicom(path: Path) -> bool:
    """Whether the file is DICOM by its suffix or by its first bytes; a missing file goes by its suffix."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return file.read(_MAGIC_OFFSET + len(_MAGIC))[_MAGIC_OFFSET:] == _MAGIC
    except OSError:
        return False


def load_dicom(path: Path) -> Image.Image:
    """Decode to an 8-bit image of mode `L`, or `RGB` where the file is in colour.

    Raises DataError that names the file: missing, empty, not DICOM, no pixels, truncated, several frames, or a
    compression (transfer syntax) without a decoder on this machine.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pydicom.errors import BytesLengthException

        try:
            dataset = _read(path)
            _check_image(path, dataset)
            return Image.fromarray(_render(dataset, _decode(path, dataset)))
        except DataError:
            raise
        except FileNotFoundError as error:
            raise DataError(f"{path}: the file is missing") from error
        except BytesLengthException as error:
            raise DataError(
                f"{path}: damaged DICOM file (an element of its header has an impossible length)"
            ) from error
        except _READING_ERRORS as error:
            raise DataError(f"{path}: damaged DICOM file ({_summarise(error)})") from error


def _read(path: Path) -> "Dataset":
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        return dcmread(path)
    except (InvalidDicomError, EOFError) as error:
        what = "the file is empty" if path.stat().st_size == 0 else "not a DICOM file"
        raise DataError(f"{path}: {what}") from error


def _check_image(path: Path, dataset: "Dataset") -> None:
    """Raise DataError for what is not one image of sensible size."""
    if not any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        # pydicom returns nothing of a file that ends inside of an element
        raise DataError(f"{path}: {'a DICOM file without pixels' if len(dataset) else 'a DICOM file that is cut off'}")
    missing = [name for name in _NEEDED if name not in dataset]
    if missing:
        raise DataError(f"{path}: damaged DICOM file (its header has no {' and no '.join(missing)})")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        raise DataError(f"{path}: {frames} frames; an X-ray is a single frame: export the one that is meant")
    if dataset.Rows * dataset.Columns > MAX_PIXELS:
        raise DataError(f"{path}: {dataset.Columns} x {dataset.Rows} pixels are too many for an X-ray")


def _decode(path: Path, dataset: "Dataset") -> Values:
    """Stored values (height, width), or (height, width, 3) as RGB."""
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    plugin = _choose_decoder(path, dataset)
    _check_jpeg(dataset)
    values: Values = pixel_array(dataset, decoding_plugin=plugin)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, dataset)
    return values


def _choose_decoder(path: Path, dataset: "Dataset") -> str:
    """Name of the decoder to use, "" for whichever there is.

    Lossy JPEG is always decoded by the same one, so that pixels do not depend on what else is installed; for JPEG 2000
    GDCM is left out, which writes to stderr about damaged files.
    """
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGBaseline8Bit, JPEGExtended12Bit

    syntax = dataset.file_meta.TransferSyntaxUID
    uid = ascii(str(syntax))[1:-1]  # a damaged one may hold anything
    named = f"transfer syntax {syntax.name} ({uid})" if syntax.name != syntax else f"transfer syntax {uid}"
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise DataError(f"{path}: {named} cannot be decoded; convert the file to an uncompressed one") from error
    available = decoder.available_plugins
    if syntax == JPEGExtended12Bit and dataset.BitsStored > 8 and "pylibjpeg" not in available:
        raise DataError(f"{path}: {named} cannot be decoded with 12 bits; convert the file to an uncompressed one")
    if not decoder.is_available:
        raise DataError(f"{path}: {named} needs a decoder that is not installed: {_EXTRA}")
    wanted = {JPEGBaseline8Bit: ("pillow",), JPEG2000: _OPENJPEG, JPEG2000Lossless: _OPENJPEG}.get(syntax, ())
    return next((name for name in wanted if name in available), "")


def _check_jpeg(dataset: "Dataset") -> None:
    """Raise ValueError for a lossless JPEG stream that GDCM would crash on: a damaged header, or another image."""
    from pydicom.encaps import generate_frames
    from pydicom.uid import JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless

    if dataset.file_meta.TransferSyntaxUID not in (JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless):
        return
    frame = read_frame(next(generate_frames(dataset.PixelData, number_of_frames=1)))
    promised = (dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)
    if frame is None or (frame.height, frame.width, frame.num_components) != promised:
        raise ValueError("its JPEG stream is not the image that its header promises")
    if not 2 <= frame.bits <= dataset.BitsAllocated:
        raise ValueError(f"its JPEG stream has samples of {frame.bits} bits, its header allows {dataset.BitsAllocated}")


def _render(dataset: "Dataset", stored: Values) -> Grey:
    """(height, width) grey or (height, width, 3) colour from stored values."""
    if stored.ndim == 3:
        return _to_8_bit_colour(dataset, stored)
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    padding = _find_padding(dataset, stored)
    if _is_display_grey(dataset, stored):
        grey = stored.astype(np.uint8)
        if not inverted:
            return grey
    else:
        grey = _spread(dataset, stored, padding)
    if inverted:
        grey = 255 - grey
    grey[padding] = 0
    return grey


def _is_display_grey(dataset: "Dataset", stored: Values) -> bool:
    unsigned = dataset.get("PixelRepresentation", 0) == 0 and stored.dtype.kind == "u"
    return bool(unsigned and dataset.get("BitsStored") == 8 and stored.max() <= 255)


def _spread(dataset: "Dataset", stored: Values, padding: npt.NDArray[np.bool_]) -> Grey:
    """Measured values to 0 ... 255 by lookup table, window or range."""
    from pydicom.pixels.processing import apply_modality_lut, apply_voi

    values = apply_modality_lut(stored, dataset)
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are not finite")
    table = (dataset.get("VOILUTSequence") or [None])[0]
    if table is not None:
        shares = apply_voi(values, dataset) / (2.0 ** int(table.LUTDescriptor[2]) - 1)
    else:
        window = _find_window(dataset)
        shares = _scale_by_range(values, ~padding) if window is None else _apply_window(values, *window)
    grey: Grey = np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)
    return grey


def _find_window(dataset: "Dataset") -> tuple[str, float, float] | None:
    """Function, centre and width of the first window that has a width."""
    centre, width = (_find_first(dataset, name) for name in ("WindowCenter", "WindowWidth"))
    function = str(dataset.get("VOILUTFunction") or "LINEAR").strip().upper()
    if centre is None or width is None or not np.isfinite([centre, width]).all():
        return None
    return (function, centre, width) if width > 0 and (width >= 1 or function != "LINEAR") else None


def _find_first(dataset: "Dataset", name: str) -> float | None:
    value = dataset.get(name)
    if value is None or isinstance(value, str | int | float):
        return float(value) if value not in (None, "") else None
    return float(value[0]) if len(value) else None


def _apply_window(values: Values, function: str, centre: float, width: float) -> Values:
    """Shares of full brightness, PS3.3 C.11.2.1.2 and C.11.2.1.3; they may lie beyond 0 and 1."""
    wide = values.astype(np.float64)
    if function == "SIGMOID":
        exponents = np.clip(-4 * (wide - centre) / width, -700, 700)  # exp(710) has no value in double precision
        return np.asarray(1 / (1 + np.exp(exponents)))
    if function == "LINEAR_EXACT":
        return np.asarray((wide - centre) / width + 0.5)
    if width == 1:
        return np.asarray(wide > centre - 0.5, dtype=np.float64)
    return np.asarray((wide - (centre - 0.5)) / (width - 1) + 0.5)


def _scale_by_range(values: Values, counted: npt.NDArray[np.bool_]) -> Values:
    wide = values.astype(np.float64)
    exposed = wide[counted]
    if not exposed.size or exposed.min() == exposed.max():
        return np.zeros(wide.shape)
    return np.asarray((wide - exposed.min()) / (exposed.max() - exposed.min()))


def _find_padding(dataset: "Dataset", stored: Values) -> npt.NDArray[np.bool_]:
    """True (height, width) where a pixel is filler: its stored value is the padding value, or in its range."""
    first, last = (_read_padding(dataset, name) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit"))
    if first is None:
        return np.zeros(stored.shape, dtype=np.bool_)
    last = first if last is None else last
    return np.asarray((stored >= min(first, last)) & (stored <= max(first, last)))


def _read_padding(dataset: "Dataset", name: str) -> int | None:
    value = dataset.get(name)
    if not isinstance(value, int):
        return None
    bits = int(dataset.BitsAllocated)
    written_unsigned = dataset.PixelRepresentation == 1 and value >= 1 << (bits - 1)
    return value - (1 << bits) if written_unsigned else value


def _to_8_bit_colour(dataset: "Dataset", stored: Values) -> Grey:
    """(height, width, 3)"""
    palette = dataset.PhotometricInterpretation == "PALETTE COLOR"
    bits = int(dataset.RedPaletteColorLookupTableDescriptor[2]) if palette else int(dataset.BitsStored)
    colour: Grey = (stored >> max(0, bits - 8)).astype(np.uint8)[..., :3]
    return np.ascontiguousarray(colour)


def _summarise(error: BaseException) -> str:
    """One line, without the advice that pydicom adds."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if "exceptions were raised by all available plugins" in first:
        return "its compressed pixels cannot be decoded"
    return first.partition(" - ")[0].rstrip(" .:")[:_LONGEST]
