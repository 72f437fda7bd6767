"""A sample in words: the line above it, and the lines beside its picture. Pure functions."""

from typing import TYPE_CHECKING, Final

from lovt_tui.datasets.describing import Line, field_lines
from lovt_tui.formatting import Cell, clean

if TYPE_CHECKING:
    from lovt_tui.datasets.browsing import SampleView

LABEL_WIDTH: Final = 9


def describe_place(name: str, view: "SampleView") -> Line:
    """One line, what matters most first: which of how many, which id, which part, which set."""
    place = view.place
    image = f", image {place.image + 1} of {view.num_images}" if view.num_images > 1 else ""
    within = f" ({view.part or 'in no part'})" if place.part == "all" else ""
    return (
        Cell(f" {place.number + 1:,} of {view.count:,}{image}  "),
        Cell(clean(view.caption), "strong"),
        Cell(f"  {place.part}{within} · {name}", "dim"),
    )


def describe_sample(view: "SampleView", width: int) -> tuple[Line, ...]:
    """Patient, what is marked, findings, report."""
    lines: list[Line] = [*field_lines("id", view.id, width, "strong", LABEL_WIDTH)]
    for label, text in view.facts:
        lines += field_lines(label, text, width, label_width=LABEL_WIDTH)
    return tuple(lines)
