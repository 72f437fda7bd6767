"""What the commands of `lovt data` print alike."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import get_console, visible
from lovt_tui.datasets.texts import meta_fields

if TYPE_CHECKING:
    from lovt_core.data.preparation.prepare import OnProgress
    from lovt_core.data.prepared_meta import PreparedMeta, Problem
    from lovt_core.values import Progress as ProgressValue

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Data set of `lovt data list`.")]
SizeOption = Annotated[int | None, typer.Option(help="Pixels a side [default: the data set's own].")]
FingerprintOption = Annotated[str | None, typer.Option(help="Another version than the current one.")]
SplitsOption = Annotated[
    str, typer.Option("--splits", metavar="SPLIT", help="auto, published, download, patient:SEED or lists:HASH.")
]
SHOWN_PROBLEMS = 20
_FIELD = 13


def print_line(text: str = "", indent: int = 0) -> None:
    """One line on stdout: in a terminal wrapped at words and indented from the second line on, else left whole."""
    console, text = get_console(), visible(text)
    if console.is_terminal and indent:
        text = textwrap.fill(
            text, console.width, subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False
        )
    console.print(text, markup=False, soft_wrap=True)


def print_field(label: str, text: str) -> None:
    """A label of a dozen characters, and what it stands for."""
    print_line(f"{label:<12} {text}", indent=_FIELD)


def print_warning(text: str) -> None:
    """One line on stderr."""
    get_console(stderr=True).print(text, markup=False, soft_wrap=True)


def print_meta(meta: "PreparedMeta") -> None:
    """Content, size, identity, flow and what was left out."""
    for label, text in meta_fields(meta):
        print_field(label, text)


def print_problems(problems: "Sequence[Problem]") -> None:
    """The first problems, and how many more there are."""
    for problem in problems[:SHOWN_PROBLEMS]:
        print_field("", str(problem))
    if len(problems) > SHOWN_PROBLEMS:
        print_field("", f"and {len(problems) - SHOWN_PROBLEMS} more (--json lists them all)")


@contextmanager
def progress_bar(title: str) -> "Iterator[OnProgress]":
    """A bar with the time left, on stderr; it appears with the first progress."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=get_console(stderr=True))
    task = bar.add_task(title, total=None)

    def show(progress: "ProgressValue") -> None:
        bar.start()
        description = f"{title} ({progress.note})" if progress.note else title
        bar.update(task, completed=progress.done, total=progress.total, description=description)

    try:
        yield show
    finally:
        if bar.live.is_started:
            bar.stop()
