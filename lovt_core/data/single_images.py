"""Which single images an experiment trains on and validates with, and their labels (PROTOCOL B.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lovt_core.config.data import PairedDataConfig
from lovt_core.config.methods import SupervisedConfig
from lovt_core.data.pairs import open_pairs
from lovt_core.data.prepared import PreparedData
from lovt_core.data.splits import take_first
from lovt_core.errors import DataError

_WITHOUT_LABELS = (
    "mimic-cxr has labels where its CheXpert table was there when it was prepared, paired-csv where there is a column "
    "findings"
)


@dataclass(frozen=True)
class SingleImages:
    """Images of one prepared data set, by rows of `PreparedData.image`; a study of two images counts as two."""

    prepared: PreparedData
    train: tuple[int, ...]
    validation: tuple[int, ...]
    statistics: tuple[float, float] | None
    """As those of `Pairs`."""
    identity: dict[str, Any]
    """What tells this data apart from other data, as JSON values."""
    notes: tuple[str, ...]
    """Sentences for the user."""

    @cached_property
    def findings(self) -> dict[int, Mapping[str, int]]:
        """Image -> the labels of its study: 1 present, 0 absent, -1 uncertain; what is not mentioned is left out."""
        return {image: dict(sample.findings) for sample in self.prepared.samples for image in sample.images}


def open_single_images(config: PairedDataConfig, prepared_root: Path, fingerprint: str | None = None) -> SingleImages:
    """The images of the pairs that `open_pairs` would open, one by one and in the same order; or those of a set without
    reports.

    A fraction is one of the list of images (PROTOCOL B.4), not of the studies. Raises what `open_pairs` does.
    """
    whole = config.model_copy(update={"train_fraction": 1.0, "validation_fraction": 1.0})
    pairs = open_pairs(whole, prepared_root, fingerprint, needs_reports=False)
    train = take_first(_list_images(pairs.prepared, pairs.train), config.train_fraction)
    validation = take_first(_list_images(pairs.prepared, pairs.validation), config.validation_fraction)
    identity = pairs.identity | {
        "train_fraction": config.train_fraction,
        "validation_fraction": config.validation_fraction,
        "num_train": len(train),
        "num_validation": len(validation),
        "samples": "images",
    }
    return SingleImages(pairs.prepared, train, validation, pairs.statistics, identity, pairs.notes)


def require_labels(images: SingleImages, labels: Sequence[str]) -> SingleImages:
    """The same images, with a note for each label that no training image has.

    Raises DataError where that is so for all of them.
    """
    known = {label for image in images.train for label in images.findings[image]}
    missing = [label for label in labels if label not in known]
    if len(missing) == len(labels):
        has = f"its training images have {', '.join(sorted(known))}" if known else _WITHOUT_LABELS
        raise DataError(
            f"data.name: '{images.prepared.name}' has none of the labels that the supervised method learns "
            f"({', '.join(labels)}): {has}"
        )
    notes = [f"no training image has the label '{label}': nothing can be learnt of it" for label in missing]
    return replace(images, notes=(*images.notes, *notes))


def require_judged_labels(images: SingleImages, method: SupervisedConfig) -> None:
    """Raise DataError unless the validation images are on both sides of one label at least."""
    counts_as = {1: "present", 0: "absent", -1: method.uncertain, None: method.blank}
    for label in method.labels:
        sides = {counts_as[images.findings[image].get(label)] for image in images.validation}
        if {"present", "absent"} <= sides:
            return
    raise DataError(
        f"the validation images of {images.prepared.name} ({len(images.validation)}) cannot judge any of the labels "
        f"({', '.join(method.labels)}), of which one must be present on some and absent on others: choose another "
        "data.split or a larger data.validation_fraction"
    )


def _list_images(prepared: PreparedData, rows: Sequence[int]) -> tuple[int, ...]:
    return tuple(image for row in rows for image in prepared.samples[row].images)
