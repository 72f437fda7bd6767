"""The published statistics of embeddings (`published_statistics.csv`, which names source and columns first)."""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

_FILE = Path(__file__).parent / "published_statistics.csv"

LABELS: Final[Mapping[str, str]] = {
    "LoVT_100": "LoVT (100 %)",
    "LoVT_30": "LoVT (30 %)",
    "ablation_no_l": "no local losses",
    "ablation_g_only": "global only",
    "ablation_no_g": "no global loss",
    "ablation_no_spatial": "no spatial weights",
}
"""Column of the file -> what it is called here; the ablations were trained on 30 %."""
WITHOUT_ABLATIONS: Final = ("LoVT (100 %)", "LoVT (30 %)")


@cache
def load_published_statistics() -> Mapping[str, Mapping[str, float]]:
    """Statistic -> label -> value, in the order of the file; what was not computed of an ablation is left out."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return {
        row["statistic"]: {label: float(row[column]) for column, label in LABELS.items() if row[column]} for row in rows
    }
