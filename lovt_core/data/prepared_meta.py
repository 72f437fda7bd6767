"""What prepared data says about itself: `meta.json`."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lovt_core.data.data_set import Kind
from lovt_core.errors import DataError

FORMAT = 3
"""Number of the prepared format; raised when a reader of the old one would misread the new one."""
META_FILE = "meta.json"

SplitPart = Literal["train", "validation", "test"]


class FlowStep(BaseModel):
    """One line of the flow chart from the download to the samples."""

    model_config = ConfigDict(frozen=True)

    what: str
    dropped: int
    kept: int


class Problem(BaseModel):
    """Something in a download that cannot be used."""

    model_config = ConfigDict(frozen=True)

    where: str
    """File relative to the download, with the row where it is a table."""
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class PreparedMeta(BaseModel):
    """Identity and history of one prepared folder."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int
    name: str
    kind: Kind
    size: int
    """Side of the square (localized) or longest short side (paired), in pixels."""
    mode: Literal["square", "short-side"]
    equalised: bool
    classes: tuple[str, ...]
    fingerprint: str
    """sha256 (hex) over pixels, masks, ids, patients and sentences."""
    synthetic: bool
    """The download carried the marker of a generator."""
    genuine: bool
    """Not synthetic, and where ids were published, exactly those ids."""
    source: str
    """Folder of the download."""
    source_stamp: str
    """sha256 over names, sizes and modification times of the files read, and over the options."""
    created: str
    """UTC, ISO 8601."""
    software: dict[str, str]
    num_samples: int
    num_images: int
    num_patients: int
    num_sentences: int
    num_boxes: int
    num_kept: int = 0
    """Samples copied as an interrupted preparation or an earlier version had decoded them."""
    flow: tuple[FlowStep, ...]
    skipped: tuple[Problem, ...]
    """What `--skip-bad` left out."""


def load_meta(folder: Path) -> PreparedMeta:
    """Read `meta.json`; raises DataError where it is absent, damaged or of another format."""
    path = folder / META_FILE
    try:
        meta = PreparedMeta.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; prepare the data set again") from error
    except ValidationError as error:
        raise DataError(f"{path} is damaged ({error.error_count()} errors); prepare the data set again") from error
    if meta.format != FORMAT:
        raise DataError(f"{path} has format {meta.format}, this version reads {FORMAT}; prepare the data set again")
    return meta
