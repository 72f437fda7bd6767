"""Stored cells, as an index returns them."""

from copy import deepcopy
from typing import Any

from lovt_core.runs.records import StoredResult

CELL: dict[str, Any] = {
    "type": "cell",
    "task": "covid-linear",
    "encoder": {
        "source": "random",
        "label": "random",
        "fingerprint": "aaaaaaaabbbb",
        "backbone": "resnet50",
        "pretrained_on": [],
    },
    "protocol": {"name": "full", "fingerprint": "p0", "marks": []},
    "data": {
        "name": "covid-rural",
        "fingerprint": "d0",
        "split": "published",
        "split_fingerprint": "s0",
        "genuine": True,
    },
    "metric": "dice",
    "values": [0.3, 0.32, 0.31, 0.33, 0.34],
    "mean": 0.32,
    "ci95": 0.0196,
    "overlap": None,
    "duplicates": [],
}


def stored_cell(run: str, attempt: int = 1, **changes: Any) -> StoredResult:
    """A cell of a run; a dictionary among the changes is merged into the cell's."""
    data = deepcopy(CELL)
    for key, value in changes.items():
        data[key] = {**data[key], **value} if isinstance(value, dict) and data[key] else value
    return StoredResult(run_id=run, run_name="eval", attempt=attempt, data=data)


def encoder(label: str, fingerprint: str | None = None, **changes: Any) -> dict[str, Any]:
    """Identity of an encoder of that name."""
    return {"label": label, "source": label, "fingerprint": fingerprint or f"{label}-weights", **changes}
