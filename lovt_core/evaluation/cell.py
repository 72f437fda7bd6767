"""The result that closes a task: all replicates of an encoder and everything that tells it apart from others."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lovt_core.evaluation.completed import Piece
from lovt_core.evaluation.encoders import Subject, row_label
from lovt_core.evaluation.overlap import compute_overlap
from lovt_core.evaluation.protocol import Protocol
from lovt_core.evaluation.replicates import compute_interval, find_duplicates
from lovt_core.evaluation.task_data import TaskData


def compute_cell(replicates: Sequence[Piece], metric: str) -> dict[str, Any]:
    """Scores of a cell as JSON values: each replicate, mean, half width of the 95 % interval, equal ones."""
    values = [float(piece["value"]) for piece in replicates]
    mean, ci95 = compute_interval(values)
    return {
        "metric": metric,
        "values": values,
        "seeds": [piece["seed"] for piece in replicates],
        "mean": mean,
        "ci95": ci95,
        "duplicates": [list(group) for group in find_duplicates(values)],
    }


def describe_encoder(subject: Subject) -> dict[str, Any]:
    """Identity of the encoder, or of what all replicates' encoders are drawn from, as JSON values."""
    source, given = subject.source, subject.given
    return {
        "source": source.source,
        "label": row_label(source),
        "fingerprint": subject.fingerprint,
        "backbone": subject.backbone,
        "pretrained_on": list(given.pretrained_on) if given else [],
    }


def describe_overlap(subject: Subject, data: TaskData, prepared_root: Path) -> dict[str, Any] | None:
    """Test images that the encoder has seen, as JSON values; None where there are none."""
    given = subject.given
    if given is None or given.pretraining is None:
        return None
    return compute_overlap(given.pretraining, data, prepared_root)


def build_identity(subject: Subject, protocol: Protocol, data: TaskData, numbers: str) -> dict[str, Any]:
    """What must be equal before a piece of an earlier attempt may be used again; `numbers`: format and device."""
    ids = [data.prepared.samples[sample].id for part in data.split.parts for sample in part]
    return {
        "encoder": subject.fingerprint,
        "backbone": subject.backbone,
        "seed": subject.seed,
        "numbers": numbers,
        "samples": hashlib.sha256("\n".join(ids).encode()).hexdigest(),
        "protocol": protocol.fingerprint,
        "data": data.prepared.fingerprint,
        "split": data.split.fingerprint,
    }
