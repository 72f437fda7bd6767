"""`lovt rm`: runs to the trash, back from it, and out of it for good."""

import re
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.asking import YesOption, is_agreed
from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json

if TYPE_CHECKING:
    from lovt_core.runs.space.trash import TrashedRun
    from lovt_core.runs.workspace import Workspace


def command(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Run ids, prefixes, names, or `last`.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Remove runs too that others, queued or at work, still need.")
    ] = False,
    show: Annotated[bool, typer.Option("--list", help="List the trash.")] = False,
    restore: Annotated[
        list[str] | None, typer.Option("--restore", metavar="RUN", help="Bring a run back from the trash.")
    ] = None,
    empty: Annotated[bool, typer.Option("--empty", help="Delete the trash, or the RUNs in it, for good.")] = False,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="AGE", help="With --empty: only runs removed before, e.g. 7d.")
    ] = None,
    yes: YesOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move runs that have ended to the trash, from which they can be brought back until it is emptied.

    \b
    Example: lovt rm --empty --older-than 7d
    """
    from lovt_core.errors import InputError

    if sum((bool(runs) and not empty, show, bool(restore), empty)) != 1:
        raise InputError("name runs to remove, or give one of --list, --restore RUN, --empty")
    if older_than is not None and not empty:
        raise InputError("--older-than goes with --empty")
    place = get_workspace(workspace, reading=True)
    if show:
        _print_list(place, as_json=as_json)
    elif restore:
        _restore(place, restore, as_json=as_json)
    elif empty:
        _empty(place, runs, 0.0 if older_than is None else _parse_age(older_than), yes=yes, as_json=as_json)
    else:
        _remove(place, runs or [], force=force, as_json=as_json)


def _remove(workspace: "Workspace", texts: list[str], *, force: bool, as_json: bool) -> None:
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.space.trash import trash_runs

    runs = list({run.id: run for run in (find_run(workspace, text, alone=True) for text in texts)}.values())
    warnings = trash_runs(workspace, runs, force=force)
    for warning in warnings:
        get_console(stderr=True).print(f"warning: {warning}", markup=False, style="yellow", soft_wrap=True)
    if as_json:
        print_json({"removed": [run.id for run in runs], "warnings": warnings})
        return
    for run in runs:
        sys.stdout.write(f"{run.id} is in the trash: lovt rm --restore {run.id} brings it back\n")


def _restore(workspace: "Workspace", texts: list[str], *, as_json: bool) -> None:
    from lovt_core.runs.space.trash import find_trashed, restore_run

    found = {trashed.id: trashed for trashed in (find_trashed(workspace, text) for text in texts)}
    restored = [restore_run(workspace, trashed) for trashed in found.values()]
    if as_json:
        print_json({"restored": [{"id": run.id, "path": run.path} for run in restored]})
        return
    for run in restored:
        sys.stdout.write(f"{run.id} is back in {run.path}\n")


def _print_list(workspace: "Workspace", *, as_json: bool) -> None:
    from lovt_core.runs.space.sizes import Scale, format_size
    from lovt_core.runs.space.trash import list_trash

    scale = Scale()
    rows = [(trashed, scale.weigh(trashed.path)) for trashed in list_trash(workspace)]
    if as_json:
        print_json([{**_describe(trashed), "num_bytes": num_bytes} for trashed, num_bytes in rows])
        return
    if not rows:
        get_console().print(f"The trash of {workspace.path} is empty.", markup=False, soft_wrap=True)
    for trashed, num_bytes in rows:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(trashed.time))
        line = f"{trashed.id}  removed {when}  {format_size(num_bytes)}"
        get_console().print(line, markup=False, soft_wrap=True)


def _describe(trashed: "TrashedRun") -> dict[str, object]:
    return {"id": trashed.id, "name": trashed.name, "removed": trashed.time, "path": trashed.path}


def _empty(workspace: "Workspace", texts: list[str] | None, min_age: float, *, yes: bool, as_json: bool) -> None:
    from lovt_core.runs.space.sizes import Scale, format_size
    from lovt_core.runs.space.trash import empty_trash, find_trashed, list_trash

    scale, limit = Scale(), time.time() - min_age
    trash = {find_trashed(workspace, text) for text in texts} if texts else list_trash(workspace)
    doomed = [(each, scale.weigh(each.path)) for each in trash if each.time <= limit]
    total = sum(num_bytes for _, num_bytes in doomed)
    what = f"{len(doomed)} run{'' if len(doomed) == 1 else 's'} ({format_size(total)})"
    if doomed and not yes and not is_agreed(f"Delete {what} in the trash for good?"):
        sys.stderr.write("nothing was deleted\n")
        raise typer.Exit(1)
    deleted: list[str] = []
    empty_trash(workspace, [each for each, _ in doomed], lambda each: deleted.append(each.id))
    if as_json:
        print_json({"deleted": deleted, "num_bytes": total})
    else:
        sys.stdout.write(f"deleted {what}\n" if doomed else "nothing to delete\n")


def _parse_age(text: str) -> float:
    """Seconds of an age such as `7d`."""
    from lovt_core.errors import InputError
    from lovt_tui.listing.filtering import UNIT_SECONDS

    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text.strip())
    if match is None:
        raise InputError(f"--older-than: '{text}' is no age: a number and one of s m h d w, such as 7d")
    return float(match[1]) * UNIT_SECONDS[match[2]]
