"""Writing films as DICOM files: 8-bit JPEG baseline, MONOCHROME2, without a window, as RSNA's and SIIM's files are."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lovt_core.data.synthetic.patients import Film

JPEG_QUALITY = 92
_IMPLEMENTATION = "2.25.183746501927364518273645190827364510"
"""Names the writer of the file; any constant UID will do."""


@dataclass(frozen=True)
class Header:
    """What the file says beside its pixels."""

    instance: str
    """UID of the image; study and series have their own."""
    study: str
    series: str
    patient: str
    sex: str
    age: int
    """Years."""
    view: str
    """PA or AP."""


def draw_personal(film: Film) -> tuple[str, int, str]:
    """Sex, age and view of a film."""
    personal = film.personal()
    return str(personal.choice(("F", "M"))), int(personal.integers(21, 90)), str(personal.choice(("PA", "AP")))


def write_dicom(path: Path, image: NDArray[np.uint8], header: Header) -> None:
    """Write a (height, width) image; the same arguments give the same bytes."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, JPEGBaseline8Bit, SecondaryCaptureImageStorage

    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, header.instance
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = header.study, header.series
    dataset.StudyDate, dataset.StudyTime = "19010101", "000000.00"
    dataset.Modality, dataset.ConversionType, dataset.BodyPartExamined = "CR", "WSD", "CHEST"
    dataset.SeriesDescription, dataset.ViewPosition = f"view: {header.view}", header.view
    dataset.PatientName = dataset.PatientID = header.patient
    dataset.PatientSex, dataset.PatientAge = header.sex, f"{header.age:03d}Y"
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.Rows, dataset.Columns = image.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.LossyImageCompression, dataset.LossyImageCompressionMethod = "01", "ISO_10918_1"
    jpeg = io.BytesIO()
    Image.fromarray(image).save(jpeg, format="JPEG", quality=JPEG_QUALITY)
    dataset.PixelData = encapsulate([jpeg.getvalue()])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.file_meta.ImplementationClassUID, dataset.file_meta.ImplementationVersionName = UID(_IMPLEMENTATION), "LOVT"
    dataset.save_as(path, enforce_file_format=True)
