"""The pairs that a run was trained on or judged by: the version and the split that its checkpoint names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lovt_core.config.data import PairedDataConfig
from lovt_core.config.inspection import Part
from lovt_core.data.pairs import open_pairs
from lovt_core.data.prepared import Bytes, PreparedData, open_prepared
from lovt_core.data.splits import build_split
from lovt_core.errors import DataError


@dataclass(frozen=True)
class OwnPairs:
    """Some pairs of one prepared data set."""

    prepared: PreparedData
    rows: tuple[int, ...]
    """Of `PreparedData.samples`."""

    def image_row(self, row: int) -> int:
        """The first image of a study."""
        return self.prepared.samples[row].images[0]

    def image(self, row: int) -> Bytes:
        """(height, width) of that image."""
        return self.prepared.image(self.image_row(row))


def open_own_pairs(config: PairedDataConfig, identity: Mapping[str, Any], part: Part, root: Path) -> OwnPairs:
    """All pairs of one part; `identity` is what the checkpoint says about its data.

    Training and validation are those that the run used itself; the test part is that of the split. Raises DataError
    where the version is gone or the part is empty.
    """
    same = config.model_copy(update={"split": identity["split"]})
    fingerprint = str(identity["fingerprint"])
    if part != "test":
        pairs = open_pairs(same, root, fingerprint)
        return OwnPairs(pairs.prepared, pairs.train if part == "training" else pairs.validation)
    prepared = open_prepared(root, config.name, fingerprint=fingerprint)
    rows = build_split(prepared, same.split).test
    if not rows:
        raise DataError(f"{config.name} with split {same.split} has no test samples: choose validation or training")
    return OwnPairs(prepared, rows)


def choose_part(config: PairedDataConfig, identity: Mapping[str, Any], root: Path) -> Part:
    """The test part, or validation where the run's split has none."""
    prepared = open_prepared(root, config.name, fingerprint=str(identity["fingerprint"]))
    return "test" if build_split(prepared, identity["split"]).test else "validation"


def spread(rows: Sequence[int], count: int) -> tuple[int, ...]:
    """At most `count` of the rows, in their order and evenly spread, always the same ones."""
    if len(rows) <= count:
        return tuple(rows)
    places = np.linspace(0, len(rows) - 1, count).round().astype(int)
    return tuple(rows[place] for place in places.tolist())
