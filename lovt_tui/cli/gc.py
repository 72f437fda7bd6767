"""`lovt gc`: show what can go without a loss, and remove it."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.asking import YesOption, can_ask, is_agreed
from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json

if TYPE_CHECKING:
    from lovt_core.runs.space.cleaning.garbage import CleaningOptions, Findings, Garbage
    from lovt_core.runs.workspace import Workspace

TITLES = {
    "trash": "removed runs",
    "checkpoints": "superseded checkpoints",
    "states": "optimiser state",
    "prepared": "superseded prepared data",
    "features": "cached features",
    "leftovers": "left half-written",
}


def command(
    yes: YesOption = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="KIND", help=f"Only this kind: {', '.join(TITLES)}.")
    ] = None,
    keep_last: Annotated[
        int, typer.Option("--keep-last", min=1, metavar="N", help="Newest checkpoints kept of each run, besides best.")
    ] = 1,
    shared: Annotated[
        bool, typer.Option("--shared", help="Superseded versions too in $LOVT_PREPARED, which other workspaces use.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what can go from the workspace and why, and remove it after a yes. A best checkpoint never goes.

    \b
    Example: lovt gc --only states --yes
    """
    from lovt_core.runs.space.cleaning.clean import find_garbage
    from lovt_core.runs.space.cleaning.garbage import CleaningOptions

    place = get_workspace(workspace, reading=True)
    options = CleaningOptions(_choose_kinds(only), keep_last, shared)
    findings = find_garbage(place, options, time.time())
    if not as_json:
        _print_findings(place, findings)
    if not findings.garbage or not _is_wanted(findings, yes=yes, as_json=as_json):
        if as_json:
            print_json(_as_json(findings, [], ()))
        return
    removed, failures = _remove(place, findings, options)
    if as_json:
        print_json(_as_json(findings, removed, failures))
    else:
        sys.stdout.write(f"removed {_count(removed)}\n")
    for failure in failures:
        sys.stderr.write(f"stays: {failure}\n")
    raise typer.Exit(1 if failures else 0)


def _choose_kinds(only: list[str] | None) -> Any:
    from lovt_core.errors import InputError
    from lovt_core.runs.space.cleaning.garbage import GARBAGE_KINDS

    if unknown := [kind for kind in only or () if kind not in GARBAGE_KINDS]:
        raise InputError(f"--only: unknown kind '{unknown[0]}': one of {', '.join(GARBAGE_KINDS)}")
    return tuple(kind for kind in GARBAGE_KINDS if not only or kind in only)


def _is_wanted(findings: "Findings", *, yes: bool, as_json: bool) -> bool:
    """Whether to remove; without anybody to ask, nothing is removed."""
    if yes:
        return True
    if as_json:
        return False
    if not can_ask():
        sys.stderr.write("nothing was removed: --yes removes all of this\n")
        return False
    return is_agreed(f"Remove {_count(findings.garbage)}?")


def _count(items: "list[Garbage] | tuple[Garbage, ...]") -> str:
    from lovt_core.runs.space.sizes import format_size

    things = f"{len(items)} thing{'' if len(items) == 1 else 's'}"
    return f"{things}, {format_size(sum(item.num_bytes for item in items))}"


def _print_findings(workspace: "Workspace", findings: "Findings") -> None:
    """Kind by kind, with the reason once for all that share it."""
    from lovt_core.runs.space.sizes import format_size

    console = get_console()
    heading = ("", "")
    for item in findings.garbage:
        if heading != (item.kind, item.reason):
            heading = (item.kind, item.reason)
            console.print(f"{TITLES[item.kind]}: each {item.reason}", markup=False, soft_wrap=True)
        path = item.path.relative_to(workspace.path) if item.path.is_relative_to(workspace.path) else item.path
        console.print(f"  {format_size(item.num_bytes):>8}  {path}", markup=False, soft_wrap=True)
    for note in findings.notes:
        console.print(f"kept: {note}", markup=False, soft_wrap=True)
    if findings.garbage:
        console.print(f"{_count(findings.garbage)} in all", markup=False)
    else:
        console.print(f"Nothing to remove in {workspace.path}.", markup=False, soft_wrap=True)


def _remove(
    workspace: "Workspace", findings: "Findings", options: "CleaningOptions"
) -> "tuple[list[Garbage], tuple[str, ...]]":
    """What was removed, and a sentence for each thing that stays; a bar on stderr while it goes on."""
    from lovt_core.runs.space.cleaning.clean import remove_garbage
    from lovt_core.values import Progress
    from lovt_tui.cli.data.printing import progress_bar

    removed: list[Garbage] = []
    with progress_bar("removing") as show:

        def on_removed(item: "Garbage") -> None:
            removed.append(item)
            show(Progress(len(removed), len(findings.garbage), "thing"))

        return removed, remove_garbage(workspace, findings.garbage, options, on_removed)


def _as_json(findings: "Findings", removed: "list[Garbage]", failures: tuple[str, ...]) -> dict[str, Any]:
    gone = {item.path for item in removed}
    return {
        "garbage": [
            {
                "kind": item.kind,
                "path": item.path,
                "num_bytes": item.num_bytes,
                "reason": item.reason,
                "removed": item.path in gone,
            }
            for item in findings.garbage
        ],
        "num_bytes": findings.num_bytes,
        "removed_bytes": sum(item.num_bytes for item in removed),
        "kept": findings.notes,
        "failures": failures,
    }
