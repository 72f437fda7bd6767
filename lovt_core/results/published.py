"""The paper's own scores, shipped as `published.csv` (source and columns are named in its first lines)."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

"""Split whose images are those that the authors list for a data set."""

_FILE = Path(__file__).with_name("published.csv")


@dataclass(frozen=True)
class PublishedScore:
    """One cell of the paper's tables."""

    method: str
    pretraining_percent: int | None
    """Share of MIMIC-CXR's training data; None: not pre-trained on it."""
    task_number: int
    mean: float
    """As a fraction."""
    ci95: float
    """Half width, 1.96 standard errors of five runs (PROTOCOL A.6), as a fraction."""

    @property
    def label(self) -> str:
        """Row name, such as `LoVT (30 %)`."""
        return self.method if self.pretraining_percent is None else f"{self.method} ({self.pretraining_percent} %)"


@cache
def load_published() -> tuple[PublishedScore, ...]:
    """All published scores in the order of the paper's rows."""
    lines = (line for line in _FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return tuple(
        PublishedScore(
            method=row["method"],
            pretraining_percent=None if row["pretraining"] == "none" else int(row["pretraining"]),
            task_number=int(row["task"]),
            mean=float(row["mean"]) / 100,
            ci95=float(row["ci95"]) / 100,
        )
        for row in csv.DictReader(lines)
    )
