"""Cells of the comparison, read back from the results that evaluation runs have stored."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from lovt_core.runs.records import StoredResult

RANDOM_SOURCES = ("random", "random-fitted")


class _Stored(BaseModel):
    """Frozen; keys of later versions are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class EncoderIdentity(_Stored):
    """Which weights were judged."""

    source: str
    label: str
    fingerprint: str
    backbone: str
    pretrained_on: tuple[str, ...] = ()
    """Data sets that the encoder was pre-trained on, as far as its checkpoint says."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What the cells of one row have in common.

        A random encoder has other weights in every replicate, fitted to other images in every task: its kind counts.
        """
        weights = self.source if self.source in RANDOM_SOURCES else self.fingerprint
        return (self.label, self.backbone, weights)


class ProtocolIdentity(_Stored):
    """How they were judged."""

    name: str
    """`full`, `adapted` or `quick`."""
    fingerprint: str
    marks: tuple[str, ...] = ()
    """Every setting that differs from the task's own protocol."""


class DataIdentity(_Stored):
    """What they were judged on."""

    name: str
    fingerprint: str
    split: str
    split_fingerprint: str
    genuine: bool
    """Whether these are the images and labels of the data set itself, not others in its layout."""
    synthetic: bool = False
    """Whether a generator drew them."""


class Overlap(_Stored):
    """Test images that the encoder has seen in pre-training (without their masks)."""

    data: tuple[str, ...]
    num_images: int | None
    """None: unknown, because the pre-training data was not at hand."""
    num_test_images: int


class Cell(_Stored):
    """Test scores of one encoder on one task under one protocol."""

    task: str
    encoder: EncoderIdentity
    protocol: ProtocolIdentity
    data: DataIdentity
    metric: str
    values: tuple[float, ...]
    """One for each replicate, as a fraction."""
    mean: float
    ci95: float | None
    """Half width of the 95 % interval (Student's t); None for a single replicate."""
    overlap: Overlap | None = None
    duplicates: tuple[tuple[int, ...], ...] = ()
    """Groups of replicates (counted from 0) with scores equal to the bit."""
    run_id: str
    run_name: str
    attempt: int


@dataclass(frozen=True)
class CellCollection:
    """What was found among stored results."""

    cells: tuple[Cell, ...]
    """In the order of their runs; a run that was resumed gives its latest."""
    unreadable: tuple[str, ...]
    """Ids of runs that hold a cell which this version cannot read."""


def collect_cells(results: Iterable[StoredResult]) -> CellCollection:
    """The cells among stored results; of one run and task the latest attempt's."""
    cells: dict[tuple[str, str], Cell] = {}
    unreadable: dict[str, None] = {}
    for result in sorted(results, key=lambda result: (result.run_id, result.attempt)):
        if result.data.get("type") != "cell":
            continue
        origin = {"run_id": result.run_id, "run_name": result.run_name, "attempt": result.attempt}
        try:
            cell = Cell.model_validate({**result.data, **origin})
        except ValidationError:
            unreadable[result.run_id] = None
        else:
            cells[result.run_id, cell.task] = cell
    return CellCollection(tuple(cells.values()), tuple(unreadable))
