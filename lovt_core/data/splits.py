"""Splits of prepared data into training, validation and test.

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

from lovt_core.data.catalog import find_data_set
from lovt_core.data.prepared import PreparedData, Sample
from lovt_core.errors import DataError

NAMES = ("training", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Rows of `PreparedData.samples`, ascending."""

    spec: str
    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    fingerprint: str
    """sha256 (hex) over the ids of the three parts."""
    announcement: str
    """One line for the user: what was split how."""


def build_split(data: PreparedData, spec: str) -> Split:
    """The split that `spec` asks for; `patient:SEED` is the only kind. Raises DataError."""
    match = re.fullmatch(r"patient:(\d+)", spec)
    if match is None:
        raise DataError(f"unknown split '{spec}': write patient:SEED with a whole number, for example patient:0")
    fractions = find_data_set(data.name).split_fractions
    seed = int(match.group(1))
    parts = split_by_patient(data.samples, fractions, seed)
    return Split(
        spec=spec,
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        fingerprint=compute_split_fingerprint(data.samples, parts),
        announcement=_announce(data, parts, seed),
    )


def split_by_patient(
    samples: Sequence[Sample], fractions: tuple[float, float, float], seed: int
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
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


def _announce(data: PreparedData, parts: Sequence[Sequence[int]], seed: int) -> str:
    counts = ", ".join(
        f"{len(part)} {name} ({len({data.samples[row].patient for row in part})} patients)"
        for name, part in zip(NAMES, parts, strict=True)
        if part
    )
    return f"{data.name} ({data.fingerprint[:8]}): split by patient with seed {seed}, not a published split: {counts}"
