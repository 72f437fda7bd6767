"""The lines of the form that prepares a data set, and the order that they make. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lovt_core.errors import InputError
from lovt_tui.datasets.preparing import Order

if TYPE_CHECKING:
    from lovt_tui.actions.data import LabelReport

REFUSE, LEAVE_OUT = "refuse", "leave out"
SHOWN_PROBLEMS: Final = 2


@dataclass(frozen=True)
class Field:
    """One line of the form."""

    id: str
    """Also the name of the order's field."""
    title: str
    hint: str
    """Shown while nothing is typed; `{size}` is the data set's own."""

    def first(self, last: Order | None) -> str:
        """What stands there at first: what was ordered the last time."""
        if last is None:
            return ""
        if self.id == "skip_bad":
            return LEAVE_OUT if last.skip_bad else ""
        value = getattr(last, self.id)
        return "" if value is None else str(value)


FIELDS: Final = (
    Field("source", "download", "folder of the download"),
    Field("size", "size", "pixels [{size}]"),
    Field("splits", "split", "published, download, patient:SEED, or a folder of lists [auto]"),
    Field("skip_bad", "bad files", f"{REFUSE} or {LEAVE_OUT} [{REFUSE}]"),
    Field("workers", "processes", "[all cores]"),
)


def read_order(name: str, texts: Mapping[str, str]) -> Order:
    """The order that the texts of the lines make; raises InputError for what is no number or no choice."""
    bad = texts["skip_bad"].lower()
    if bad not in ("", REFUSE, LEAVE_OUT):
        raise InputError(f"bad files: '{bad}' is neither '{REFUSE}' nor '{LEAVE_OUT}'")
    return Order(
        name=name,
        source=texts["source"],
        size=_read_number("size", texts["size"]),
        splits=texts["splits"] or None,
        skip_bad=bad == LEAVE_OUT,
        workers=_read_number("processes", texts["workers"]),
    )


def _read_number(what: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InputError(f"{what}: '{text}' is no whole number")
    return int(text)


def check_split_name(text: str) -> None:
    """Raise InputError for what cannot be the name of a split."""
    from lovt_core.config.split_names import HINT, is_split_name

    if not is_split_name(text):
        raise InputError(f"unknown split '{text}': {HINT}")


def describe_report(report: "LabelReport") -> str:
    """What the tables say, with the first rows that cannot be used."""
    first = "".join(f"\n{problem}" for problem in report.problems[:SHOWN_PROBLEMS])
    return f"its tables: {report.summary}{first}"
