"""Which image-report pairs an experiment trains on and validates with (PROTOCOL B.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

import numpy as np

from lovt_core.config.data import PairedDataConfig
from lovt_core.data.overlap import find_overlapping
from lovt_core.data.pixel_statistics import compute_pixel_statistics
from lovt_core.data.prepared import PreparedData, open_prepared
from lovt_core.data.splits import build_split, take_first
from lovt_core.errors import DataError


@dataclass(frozen=True)
class Pairs:
    """Pairs of one prepared data set, by rows of `PreparedData.samples`."""

    prepared: PreparedData
    train: tuple[int, ...]
    validation: tuple[int, ...]
    statistics: tuple[float, float] | None
    """Mean and standard deviation for [0, 1] pixels, as a rule of the training split; None: each image by its own."""
    identity: dict[str, Any]
    """What tells this data apart from other data, as JSON values."""
    notes: tuple[str, ...]
    """Sentences for the user: how the data was split and what was left out."""


def open_pairs(
    config: PairedDataConfig, prepared_root: Path, fingerprint: str | None = None, *, needs_reports: bool = True
) -> Pairs:
    """Open, split and filter; `fingerprint` asks for one prepared version instead of the current one.

    Training and validation pairs with an image that is also in one of `exclude_overlap_with` are left out first; pixel
    statistics are those of all training pairs that remain, whatever `train_fraction`. Raises DataError for data that is
    not prepared, has no reports where it `needs_reports`, or of which no training or validation pair remains.
    """
    prepared = open_prepared(prepared_root, config.name, fingerprint=fingerprint)
    if needs_reports and prepared.meta.kind != "paired":
        raise DataError(
            f"data.name: '{config.name}' has masks instead of reports, which lovt reads: give a paired data set; "
            "simclr, byol and pixelpro take this one too"
        )
    split = build_split(prepared, config.split)
    notes = [split.announcement]
    train, validation = split.train, split.validation
    for name in config.exclude_overlap_with:
        known = _find_pairs_also_in(prepared, open_prepared(prepared_root, name))
        kept = tuple(tuple(row for row in part if not known[row]) for part in (train, validation))
        notes.append(
            f"left out because an image is also in {name}: {len(train) - len(kept[0])} of {len(train)} training pairs, "
            f"{len(validation) - len(kept[1])} of {len(validation)} validation pairs"
        )
        train, validation = kept
    for part, rows in (("training", train), ("validation", validation)):
        if not rows:
            raise DataError(f"{config.name} with split {config.split} has no {part} pair left: {'; '.join(notes)}")
    statistics = _find_statistics(config, prepared, train)
    train, validation = take_first(train, config.train_fraction), take_first(validation, config.validation_fraction)
    identity = {
        "name": prepared.name,
        "fingerprint": prepared.fingerprint,
        "split": split.spec,
        "split_fingerprint": split.fingerprint,
        "train_fraction": config.train_fraction,
        "validation_fraction": config.validation_fraction,
        "exclude_overlap_with": list(config.exclude_overlap_with),
        "num_train": len(train),
        "num_validation": len(validation),
        "synthetic": prepared.meta.synthetic,
        "genuine": prepared.meta.genuine,
    }
    return Pairs(prepared, train, validation, statistics, identity, tuple(notes))


def _find_statistics(
    config: PairedDataConfig, prepared: PreparedData, train: Sequence[int]
) -> tuple[float, float] | None:
    match config.normalisation:
        case "dataset":
            return compute_pixel_statistics(prepared, train)
        case "half":
            return 0.5, 0.5
        case "image":
            return None
        case _:
            assert_never(config.normalisation)


def _find_pairs_also_in(prepared: PreparedData, other: PreparedData) -> list[bool]:
    """For each sample whether any of its images is also in `other`, by perceptual hash."""
    overlapping = find_overlapping(prepared.hashes, other.hashes)
    return [bool(np.any(overlapping[list(sample.images)])) for sample in prepared.samples]
