"""Tiny folders with `pairs.csv`."""

import csv
import re

from PIL import Image

from tests.core.data.factories import draw_film

REPORT = "The heart is enlarged. No effusion."


def pair(number, **changes):
    """A row with the columns that every table needs."""
    return {"image": f"films/{number}.png", "report": REPORT, "patient": f"p{number}"} | changes


def write_pairs(root, rows, *, encoding="utf-8"):
    """`pairs.csv` with the columns of all rows; images and masks inside the folder are drawn."""
    root.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with (root / "pairs.csv").open("w", newline="", encoding=encoding) as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        table.writerows(rows)
    for seed, row in enumerate(rows):
        for name in (row.get("image"), row.get("mask")):
            if name and re.fullmatch(r"[\w/]+\.(png|jpg|tif)", name) and name[0] != "/":
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(draw_film(seed)).save(root / name)
    return root


def told(download):
    """Problems as they are shown."""
    return [str(problem) for problem in download.problems]


def flow_of(download):
    """Dropped and kept by step."""
    return {step.what: (step.dropped, step.kept) for step in download.flow}
