"""The top line: which workspace, which screens, how busy the machine is, how long the queue."""

from typing import TYPE_CHECKING

from textual import events
from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.formatting import COMPONENTS, Cell, fit, format_bytes
from lovt_tui.listing.run_order import describe_queue
from lovt_tui.reading.snapshot import Gauge, Snapshot
from lovt_tui.widgets.painting import paint, tone_styles

if TYPE_CHECKING:
    from collections.abc import Sequence

TABS = (("1", "Runs"), ("2", "New"), ("3", "Sweeps"), ("4", "Compare"), ("5", "Data"))
MAX_SINGLE_GAUGES = 2
NAME = "lovt-tui"


class TopBar(Widget):
    """One line, right part first: it says what cannot be seen elsewhere."""

    COMPONENT_CLASSES = COMPONENTS

    def __init__(self, place: str, tab: str) -> None:
        super().__init__()
        self._place = place
        self._tab = tab
        self._facts: list[Cell] = []

    def show(self, snapshot: Snapshot) -> None:
        """Show the gauges and the queue."""
        facts = describe_machine(snapshot)
        if facts != self._facts:
            self._facts = facts
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        tabs = [
            Cell(f"[{text}]", "accent") if is_current else Cell(f" {text} ", "dim") for text, is_current in self._tabs()
        ]
        left = [Cell(f" {NAME} ", "strong"), Cell(self._fitted_place(), "dim"), Cell(" "), *tabs]
        width = self.size.width
        taken = sum(len(cell.text) for cell in (*left, *self._facts))
        cells = [*left, Cell(" " * max(1, width - taken)), *self._facts]
        return paint(cells, tone_styles(self), self.rich_style, width)

    def on_click(self, event: events.Click) -> None:
        """Press the digit of the screen that was clicked."""
        start = len(NAME) + 2 + len(self._fitted_place()) + 1
        for (key, _), (text, _) in zip(TABS, self._tabs(), strict=True):
            end = start + len(text) + 2
            if start <= event.x < end:
                self.app.simulate_key(key)
            start = end

    def _tabs(self) -> list[tuple[str, bool]]:
        """Text of each tab, and whether it is the current one, which stands in brackets: it is told without colour.

        Where the line has no room for all titles, the other screens are only digits.
        """
        room = self.size.width - len(NAME) - 3 - self._width_of_facts()
        is_short = sum(len(f"{key} {title}") + 2 for key, title in TABS) > room
        return [
            (key if is_short and title != self._tab else f"{key} {title}", title == self._tab) for key, title in TABS
        ]

    def _width_of_facts(self) -> int:
        return sum(len(cell.text) for cell in self._facts)

    def _fitted_place(self) -> str:
        tabs = sum(len(text) + 2 for text, _ in self._tabs())
        fixed = len(NAME) + 2 + 1 + tabs + 1 + self._width_of_facts()
        return fit(self._place, max(0, min(len(self._place), self.size.width - fixed)))


def describe_machine(snapshot: Snapshot) -> list[Cell]:
    """Gauges, then runs at work and in the queue; a broken workspace or run comes first."""
    cells: list[Cell] = []
    if snapshot.error:
        cells.append(Cell("! workspace unreadable  ", "error"))
    elif snapshot.broken:
        cells.append(Cell(f"! {len(snapshot.broken)} unreadable  ", "warning"))
    cells += [Cell(text + "  ") for text in _gauge_texts(snapshot.gauges)]
    waiting = sum(row.state == "queued" for row in snapshot.active)
    running = len(snapshot.active) - waiting
    cells.append(Cell(f"{running} running", "accent" if running else "dim"))
    if snapshot.is_paused:
        cells.append(Cell(f"  queue {waiting} paused ", "warning"))
        return cells
    expected = describe_queue(snapshot.runs, max(1, sum(gauge.is_gpu for gauge in snapshot.gauges)))
    cells.append(Cell(f"  queue {expected} ", "" if waiting else "dim"))
    return cells


def _gauge_texts(gauges: "Sequence[Gauge]") -> list[str]:
    if len(gauges) <= MAX_SINGLE_GAUGES:
        return [_gauge_text(gauge) for gauge in gauges]
    loads = [gauge.load_percent for gauge in gauges if gauge.load_percent is not None]
    load = f" {sum(loads) // len(loads)}%" if loads else ""
    used, total = (sum(getattr(g, name) for g in gauges) for name in ("memory_used", "memory_total"))
    return [f"{len(gauges)} GPUs{load} {format_bytes(used)}/{format_bytes(total)}G"]


def _gauge_text(gauge: Gauge) -> str:
    load = "" if gauge.load_percent is None else f" {gauge.load_percent:>2}%"
    power = "" if gauge.power_watts is None else f" {gauge.power_watts}W"
    return f"{gauge.name}{load} {format_bytes(gauge.memory_used)}/{format_bytes(gauge.memory_total)}G{power}"
