"""Splits of prepared data into training, validation and test.

`published`: the lists of the authors of LoVT. `lists:HASH`: a user's own lists. `download`: where the download itself
puts each sample (MIMIC-CXR). `patient:SEED`: by patient, at random. `auto`: what was chosen when the data was prepared,
else the first that fits of published, download (where it has training and validation samples) and patient:0.

The split by patient follows the published procedure (patients in random order fill the test split, then the validation
split, the rest trains), except that the random order is that of a hash of seed and patient id: it does not depend on
the order of the samples, and patients that are added later leave the order of the others alone.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lovt_core.config.split_names import AUTO, DOWNLOAD, HINT, PUBLISHED
from lovt_core.data.catalog import find_data_set
from lovt_core.data.prepared import PreparedData, Sample
from lovt_core.data.split_choice import find_lists, load_choice
from lovt_core.data.split_lists import PARTS, SplitLists, compare_ids, load_published
from lovt_core.errors import DataError

NAMES = ("training", "validation", "test")

Parts = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Rows of training, validation and test."""


@dataclass(frozen=True)
class Split:
    """Rows of `PreparedData.samples`: in the order of the list, else ascending."""

    spec: str
    """Never `auto`."""
    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    fingerprint: str
    """sha256 (hex) over the ids of the three parts."""
    announcement: str
    """One line for the user: what was split how."""

    @property
    def parts(self) -> Parts:
        """Training, validation, test."""
        return self.train, self.validation, self.test


def build_split(data: PreparedData, spec: str) -> Split:
    """The split that `spec` asks for; raises DataError for an unknown one, and one that does not fit the data."""
    if spec == AUTO:
        spec = load_choice(data.path.parent) or _find_natural_split(data)
    lists = None
    if match := re.fullmatch(r"lists:([0-9a-f]{8})", spec):
        lists = find_lists(data.path.parent, match.group(1))
    parts, how = divide(data.name, data.samples, lists or spec)
    return Split(
        spec=spec,
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        fingerprint=compute_split_fingerprint(data.samples, parts),
        announcement=f"{data.name} ({data.fingerprint[:8]}): {how}: {_count(data, parts)}",
    )


def divide(name: str, samples: Sequence[Sample], choice: str | SplitLists) -> tuple[Parts, str]:
    """The three parts of the samples of a data set, and how they were made, for the announcement.

    `choice` is published, download, patient:SEED, or lists. Raises DataError where it does not fit the samples.
    """
    if isinstance(choice, SplitLists):
        what = f"split by lists {choice.digest}, not a published split"
        return _divide_by_lists(name, samples, choice, what)
    if choice == PUBLISHED:
        published = load_published(name)
        if published is None:
            raise DataError(f"no split of {name} was published: {HINT}")
        return _divide_by_lists(name, samples, published, "published split")
    if choice == DOWNLOAD:
        return _divide_as_downloaded(name, samples)
    if match := re.fullmatch(r"patient:(\d+)", choice):
        seed, fractions = int(match.group(1)), find_data_set(name).split_fractions
        return split_by_patient(samples, fractions, seed), f"split by patient with seed {seed}, not a published split"
    raise DataError(f"unknown split '{choice}': {HINT}")


def take_first(rows: Sequence[int], fraction: float) -> tuple[int, ...]:
    """The first round(fraction * n) rows, at least one: how the protocol makes subsets (PROTOCOL A.1, B.1)."""
    return tuple(rows[: max(1, round(fraction * len(rows)))])


def _find_natural_split(data: PreparedData) -> str:
    published = load_published(data.name)
    if published is not None and any(sample.id in published.ids for sample in data.samples):
        return PUBLISHED
    given = {sample.split for sample in data.samples}
    return DOWNLOAD if {"train", "validation"} <= given else "patient:0"


def _divide_by_lists(name: str, samples: Sequence[Sample], lists: SplitLists, what: str) -> tuple[Parts, str]:
    row_of = {sample.id: row for row, sample in enumerate(samples)}
    train, validation, test = (tuple(row_of[id_] for id_ in part if id_ in row_of) for part in lists.parts)
    agreement = compare_ids(lists, tuple(row_of))
    if not agreement.found:
        example = next(iter(lists.ids), "(none)")
        raise DataError(
            f"{name}: the data has none of the {len(lists.ids)} samples of the {what}, for example {example}: "
            "choose another split"
        )
    notes = []
    if agreement.missing:
        notes.append(f"not in this data: {len(agreement.missing)} of {len(lists.ids)} listed samples")
    if agreement.extra:
        notes.append(f"in no list: {len(agreement.extra)} of {len(samples)} samples")
    return (train, validation, test), what + (f" ({'; '.join(notes)})" if notes else "")


def _divide_as_downloaded(name: str, samples: Sequence[Sample]) -> tuple[Parts, str]:
    train, validation, test = (
        tuple(row for row, sample in enumerate(samples) if sample.split == part) for part in PARTS
    )
    loose = len(samples) - len(train) - len(validation) - len(test)
    if loose == len(samples):
        raise DataError(f"the download of {name} does not split its samples: {HINT}")
    note = f" (in no part: {loose} of {len(samples)} samples)" if loose else ""
    return (train, validation, test), f"split of the download{note}"


def split_by_patient(samples: Sequence[Sample], fractions: tuple[float, float, float], seed: int) -> Parts:
    """Rows of training, validation and test; no patient is in two of them, each wanted part has a patient at least.

    Raises DataError where there are fewer patients than wanted parts.
    """
    sizes = Counter(sample.patient for sample in samples)
    order = sorted(sizes, key=lambda patient: hashlib.sha256(f"{seed}\n{patient}".encode()).digest())
    wanted = sum(fraction > 0 for fraction in fractions)
    if len(order) < wanted:
        raise DataError(f"{len(order)} patients cannot be split into {wanted} parts: more patients are needed")
    part_of: dict[str, int] = {}
    for part in (2, 1):
        target = max(round(fractions[part] * len(samples)), 1) if fractions[part] > 0 else 0
        later_parts = sum(fraction > 0 for fraction in fractions[:part])
        filled = 0
        while filled < target and len(order) > later_parts:
            patient = order.pop(0)
            part_of[patient] = part
            filled += sizes[patient]
    rows = [[row for row, sample in enumerate(samples) if part_of.get(sample.patient, 0) == part] for part in range(3)]
    return tuple(rows[0]), tuple(rows[1]), tuple(rows[2])


def compute_split_fingerprint(samples: Sequence[Sample], parts: Sequence[Sequence[int]]) -> str:
    """sha256 (hex) over the sorted ids of each part."""
    ids = [sorted(samples[row].id for row in part) for part in parts]
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest()


def _count(data: PreparedData, parts: Sequence[Sequence[int]]) -> str:
    return ", ".join(
        f"{len(part)} {name} ({len({data.samples[row].patient for row in part})} patients)"
        for name, part in zip(NAMES, parts, strict=True)
        if part
    )
