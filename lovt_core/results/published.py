"""The paper's own scores: `published.csv`, and where they are known their five runs: `published_runs.csv`.

Source and columns are named in the first lines of the files.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_SCORES = "published.csv"
_RUNS = "published_runs.csv"

NUM_RUNS = 5


@dataclass(frozen=True)
class PublishedScore:
    """One cell of the paper's tables."""

    method: str
    pretraining_percent: int | None
    """Share of MIMIC-CXR's training data; None: not pre-trained on it."""
    task_number: int
    mean: float
    """As a fraction, rounded to 0.1 per cent."""
    ci95: float
    """Half width, 1.96 standard errors of five runs (PROTOCOL A.6), as a fraction, rounded likewise."""
    values: tuple[float, ...] = ()
    """The five runs as fractions, not rounded; empty where they are unknown."""

    @property
    def label(self) -> str:
        """Row name, such as `LoVT (30 %)`."""
        return self.method if self.pretraining_percent is None else f"{self.method} ({self.pretraining_percent} %)"


@cache
def load_published() -> tuple[PublishedScore, ...]:
    """All published scores in the order of the paper's rows."""
    runs = {
        (row["method"], row["pretraining"], row["task"]): tuple(
            float(row[f"run_{number}"]) for number in range(1, NUM_RUNS + 1)
        )
        for row in _read(_RUNS)
    }
    return tuple(
        PublishedScore(
            method=row["method"],
            pretraining_percent=None if row["pretraining"] == "none" else int(row["pretraining"]),
            task_number=int(row["task"]),
            mean=float(row["mean"]) / 100,
            ci95=float(row["ci95"]) / 100,
            values=runs.get((row["method"], row["pretraining"], row["task"]), ()),
        )
        for row in _read(_SCORES)
    )


def _read(name: str) -> list[dict[str, str]]:
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))
