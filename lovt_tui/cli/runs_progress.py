"""A bar on stderr that counts runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lovt_tui.cli.context import get_console


@contextmanager
def counting_runs(what: str) -> Iterator[Callable[[int, int], object]]:
    """Yield what is told how many of how many runs are done; nothing is drawn where stderr is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = get_console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"{what} runs", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
