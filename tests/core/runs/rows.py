"""Rows as the index would give them."""

from typing import Any

from lovt_core.runs.records import RunRow


def make_row(name: str = "a", **values: Any) -> RunRow:
    """A finished pre-training."""
    facts: dict[str, Any] = {
        "id": f"20260901-120000-{name}-0001", "name": name, "kind": "pretrain", "state": "finished", "attempt": 1,
        "detail": "", "stop_asked": False, "created": 1000.0, "started": 1001.0, "ended": 1100.0, "updated": 1100.0,
        "done": 100, "total": 100, "unit": "step", "note": "", "epoch": 10.0, "seconds_left": None, "host": "node",
        "slot": "CPU", "tags": (), "latest": {"train/loss": 2.0}, "best": {"val/loss": 3.0},
        "experiment": {"kind": "pretrain", "name": name, "seed": 1, "training": {"batch_size": 8}}, "origin": {},
    }  # fmt: skip
    return RunRow(**{**facts, **values})
