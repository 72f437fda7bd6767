"""DICOM files of every kind, written for tests."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, SecondaryCaptureImageStorage

from lovt_core.data.images.loading import load_image

RAMP = np.array([[0, 50, 100], [150, 200, 250]])


def load(path):
    """Pixels through the door that all images take."""
    return np.asarray(load_image(path)).astype(int)


def build_dataset(values: np.ndarray, bits: int | None = None, **elements: object) -> Dataset:
    """An uncompressed image of (height, width) or (height, width, 3) values; `bits` are stored of those allocated."""
    allocated = values.dtype.itemsize * 8
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, "2.25.4711"
    dataset.Rows, dataset.Columns = values.shape[:2]
    dataset.SamplesPerPixel = 1 if values.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if values.ndim == 2 else "RGB"
    if values.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated, dataset.BitsStored = allocated, bits or allocated
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(values.dtype.kind == "i")
    dataset.PixelData = values.tobytes() + b"\0" * (values.nbytes % 2)
    dataset["PixelData"].VR = "OB" if allocated == 8 else "OW"
    for name, value in elements.items():
        setattr(dataset, name, value)
    return dataset


def write(path: Path, dataset: Dataset) -> Path:
    """Write it and return the path."""
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_grey(path: Path, values: np.ndarray, bits: int | None = None, **elements: object) -> Path:
    """An uncompressed file."""
    return write(path, build_dataset(values, bits, **elements))


def write_jpeg(path: Path, image: np.ndarray) -> Path:
    """JPEG baseline, grey or colour."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="JPEG", quality=95)
    dataset = build_dataset(image)
    if image.ndim == 3:
        dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.PixelData = encapsulate([file.getvalue()])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return write(path, dataset)


def write_jpeg_lossless(path: Path, values: np.ndarray, bits: int) -> Path:
    """JPEG lossless (process 14, first-order prediction), which only GDCM writes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SWIG modules warn on some versions of Python
        import gdcm
    plain = write_grey(path.with_suffix(".plain.dcm"), values, bits)
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(plain))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(path))
    assert writer.Write()
    return path


def lookup_table(entries: np.ndarray, first: int, bits: int, data: str = "LUTData") -> Dataset:
    """One item of a modality or VOI LUT sequence."""
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    table.add_new(data, "US", entries.tolist())
    return table
