"""A view's difference, and the whole of it, as lines to read."""

from typing import TYPE_CHECKING

from lovt_tui.formatting import Cell, clean, plural
from lovt_tui.listing.describing import config_lines

if TYPE_CHECKING:
    from lovt_tui.forms.views import View
    from lovt_tui.widgets.line_view import Line

TONES = {"-": "error", "+": "good", " ": "dim"}


def difference_lines(view: "View") -> "tuple[Line, ...]":
    """What differs from the start, as YAML."""
    if not view.difference:
        return ((Cell("Nothing differs from the start.", "dim"),), (Cell("enter edits the value of a key.", "dim"),))
    return tuple((Cell(f"{line.sign} {clean(line.text)}", TONES[line.sign]),) for line in view.difference)


def whole_lines(view: "View") -> "tuple[Line, ...]":
    """All of it, defaults written out."""
    return config_lines(view.whole)


def describe_draft(view: "View") -> str:
    """What is edited, and how much of it was changed."""
    start = view.draft.start
    changed = sum(path[0] != "launch" for path in view.draft.changes)
    kind = "run" if start.run_id else start.kind
    told = plural(changed, "change") if changed else "unchanged"
    return clean(f"{kind} {start.name} · {told}")


def shorten(text: str, most: int) -> str:
    """The first lines; the last one says how many there are more."""
    lines = [f"✘ {clean(line)}" for line in text.split("\n")]
    return "\n".join(lines if len(lines) <= most else [*lines[: most - 1], f"  and {len(lines) - most + 1} more"])
