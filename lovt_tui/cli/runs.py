"""`lovt runs`: list runs."""

import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli import runs_reindex, runs_verify
from lovt_tui.cli.context import (
    JsonOption,
    WorkspaceOption,
    get_console,
    get_workspace,
    open_index,
    print_json,
    visible,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lovt_core.results.seed_groups import SeedGroup
    from lovt_core.runs.indexing.columns import Column
    from lovt_core.runs.indexing.index import Index
    from lovt_tui.listing.run_listing import ListRequest, Selection

WATCH_SECONDS = 1.0
LINES_BESIDE = 3
"""Heading, what is hidden, and the cursor's line, on a terminal that is watched."""
GROUP_COLUMNS = "name,what"

app = typer.Typer(rich_markup_mode=None)
app.command("reindex", short_help="Build the index again.")(runs_reindex.command)
app.command("verify", short_help="Check the index and the runs' files.")(runs_verify.command)


@dataclass(frozen=True)
class Look:
    """How the chosen runs are shown."""

    columns: str | None
    differing: bool
    grouped: bool


@app.callback(invoke_without_command=True)
def command(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="Only runs in this state.")] = None,
    filter_text: Annotated[
        str, typer.Option("--filter", "-f", help="Words, state: method: tag: note: age<2d cfg.KEY>=1 best.METRIC<3.5")
    ] = "",
    columns: Annotated[
        str | None, typer.Option(help="What to show, e.g. run,state,best.val/loss,cfg.training.batch_size")
    ] = None,
    sort: Annotated[str, typer.Option(help="Column to sort by; a minus in front: largest first.")] = "",
    group: Annotated[bool, typer.Option("--group", "-g", help="Runs that differ only by their seed as one.")] = False,
    differing: Annotated[bool, typer.Option("--differing", help="Add the settings in which the runs differ.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Newest runs shown.")] = 50,
    show_all: Annotated[bool, typer.Option("--all", "-a", help="All runs.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every second, until ctrl-c.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first.

    \b
    Example: lovt runs --filter "state:finished tag:tau" --sort best.val/loss --differing
    """
    from lovt_core.errors import InputError

    if (subcommand := context.invoked_subcommand) is not None:
        if workspace is not None or as_json:
            raise InputError(f"options stand behind the subcommand: lovt runs {subcommand} --workspace DIR --json")
        return
    if watch and as_json:
        raise InputError("--watch and --json exclude each other: a script looks again by itself")
    if watch and not get_console().is_terminal:
        raise InputError("--watch draws in a terminal: leave it out of a pipe")
    request = _build_request(state, filter_text, None if show_all else limit, sort)
    look = Look(columns, differing, group)
    index = open_index(get_workspace(workspace, reading=True))
    if as_json:
        _print_json(_select(index, request, group), look)
    elif watch:
        _watch(index, request, look)
    else:
        _print(index, request, look)
    _tell_broken(index)


def _tell_broken(index: "Index") -> None:
    for run_id, reason in index.broken.items():
        text = visible(f"cannot read {run_id}: {reason}")
        get_console(stderr=True).print(text, markup=False, style="yellow", soft_wrap=True)


def _build_request(state: str | None, filter_text: str, limit: int | None, sort: str) -> "ListRequest":
    """Raises InputError for an unknown state and a filter that means nothing."""
    from typing import get_args

    from lovt_core.errors import InputError
    from lovt_core.runs.states import State
    from lovt_tui.listing.filtering import parse_filter
    from lovt_tui.listing.run_listing import ListRequest

    if state is not None and state not in get_args(State):
        raise InputError(f"unknown state '{state}': one of {', '.join(get_args(State))}")
    wanted = f"state:{state} {filter_text}" if state else filter_text
    return ListRequest(parse_filter(wanted), limit, sort)


def _select(index: "Index", request: "ListRequest", grouped: bool) -> "Selection":
    """Reads all runs only where the newest are not the answer; a group needs all of its runs."""
    from lovt_tui.listing.run_listing import select

    only_newest = request.takes_newest and not grouped
    return select(index.runs(request.limit if only_newest else None), index.count(), request, time.time())


def _print_json(selection: "Selection", look: Look) -> None:
    from lovt_core.runs.indexing.columns import find_columns
    from lovt_tui.cli.runs_table import groups_to_json, rows_to_json
    from lovt_tui.listing.run_listing import describe_hidden

    if look.grouped:
        groups, columns = _group(selection, look)
        shown = groups[: selection.request.limit]
        listed: list[dict[str, Any]] = groups_to_json(shown, columns)
        hidden = describe_hidden(selection, sum(len(each.runs) for each in shown))
    else:
        wanted = find_columns(look.columns, selection.shown) if look.columns else None
        listed = rows_to_json(selection.shown, wanted, look.differing)
        hidden = describe_hidden(selection, len(selection.shown))
    print_json(listed)
    if hidden:
        sys.stderr.write(f"{hidden}\n")


def _group(selection: "Selection", look: Look) -> "tuple[tuple[SeedGroup, ...], tuple[Column, ...]]":
    """Groups of all matching runs, and the columns to show of them."""
    from lovt_core.results.seed_groups import group_by_seed, sort_groups
    from lovt_core.runs.indexing.columns import differing_columns
    from lovt_tui.cli.runs_table import choose_columns

    groups = sort_groups(group_by_seed(selection.matching), selection.request.sort)
    chosen = choose_columns(look.columns or GROUP_COLUMNS, selection.matching, differing=False)
    if not look.differing:
        return groups, chosen
    shown = tuple(group.first for group in groups[: selection.request.limit])
    more = differing_columns(shown)
    names = {column.name for column in chosen} | {"cfg.seed"}
    return groups, (*chosen, *(column for column in more if column.name not in names))


def _print(index: "Index", request: "ListRequest", look: Look) -> None:
    console = get_console()
    for part in _draw(index, request, look):
        console.print(part, markup=False, soft_wrap=isinstance(part, str))


def _draw(index: "Index", request: "ListRequest", look: Look) -> "list[RenderableType]":
    """The table, and below it what is hidden; or why there is none."""
    from lovt_tui.cli.runs_table import build_group_table, build_table, choose_columns
    from lovt_tui.listing.run_listing import describe_hidden

    selection = _select(index, request, look.grouped)
    if not selection.matching:
        return [_describe_nothing(selection, index)]
    if look.grouped:
        groups, columns = _group(selection, look)
        groups = groups[: request.limit]
        hidden = describe_hidden(selection, sum(len(group.runs) for group in groups))
        table = build_group_table(groups, columns, time.time())
    else:
        columns = choose_columns(look.columns, selection.shown, look.differing)
        hidden = describe_hidden(selection, len(selection.shown))
        table = build_table(selection.shown, columns, time.time())
    return [table, hidden] if hidden else [table]


def _describe_nothing(selection: "Selection", index: "Index") -> str:
    from lovt_core.config.metrics import find_direction

    place, text = index.workspace.path, selection.request.filter.text
    kind, _, state = text.rpartition("state:")
    if not selection.total or (state.isalpha() and not kind):
        return f"No {f'{state} ' if state else ''}runs in {place}. Try: lovt demo"
    compared = [key.removeprefix("best.") for key in selection.request.filter.compared if key.startswith("best.")]
    hints = [f"; {name} has no best value" for name in compared if find_direction(name) is None]
    return f"No runs match '{text}' in {place}: {selection.total} do not{''.join(hints)}"


def _watch(index: "Index", request: "ListRequest", look: Look) -> None:
    """Draw again every second, as many runs as there are lines; ctrl-c ends it and no run."""
    from dataclasses import replace

    from rich.console import Group
    from rich.live import Live

    console = get_console()

    def draw() -> "RenderableType":
        index.sync()
        room = max(1, console.height - LINES_BESIDE)
        fitting = replace(request, limit=min(request.limit or room, room))
        return Group(*_draw(index, fitting, look))

    with suppress(KeyboardInterrupt), Live(draw(), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(WATCH_SECONDS)
            live.update(draw(), refresh=True)
