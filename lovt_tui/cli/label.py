"""`lovt tag`, `lovt note`, `lovt rename`: what people write on runs."""

import sys
from typing import Annotated, Literal

import typer

from lovt_tui.cli.context import JsonOption, RunArgument, WorkspaceOption, get_workspace, print_json, visible

MAX_NOTE = 10_000


def tag_command(
    run: RunArgument,
    tags: Annotated[list[str] | None, typer.Argument(metavar="TAG...", help="Tags to add.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", "-r", metavar="TAG", help="Tag to take away.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add tags to a run or take them away; without any, print them.

    \b
    Example: lovt tag last baseline tau --remove draft
    """
    from lovt_core.config.base import check_name
    from lovt_core.runs.control import read_control, read_labels
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.queueing.requests import label_run

    found = find_run(get_workspace(workspace, reading=True), run)
    for tag in tags or ():
        check_name(tag, "tag")
    have = read_labels(read_control(found.control)).tags
    wanted = [tag for tag in dict.fromkeys((*have, *(tags or ()))) if tag not in (remove or ())]
    if tags or remove:
        have = label_run(found, "tags", wanted).tags
    if as_json:
        print_json({"id": found.id, "tags": have})
    else:
        sys.stdout.write(" ".join(have) + "\n")


def note_command(
    run: RunArgument,
    text: Annotated[str | None, typer.Argument(help="The note; an empty one removes it.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a note on a run, or print it.

    \b
    Example: lovt note last "learning rate too high, see 1a2b"
    """
    from lovt_core.errors import InputError

    if text is not None and len(text) > MAX_NOTE:
        raise InputError(f"the note has {len(text)} characters: {MAX_NOTE} are the most")
    _write(run, workspace, "note", text, as_json=as_json)


def rename_command(
    run: RunArgument,
    name: Annotated[str, typer.Argument(help="Small letters, digits, '.', '_' and '-'.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a run another name; its id and directory stay.

    \b
    Example: lovt rename last lovt-100-tau03
    """
    from lovt_core.config.base import check_name
    from lovt_core.errors import InputError

    check_name(name, "name")
    if name == "last" or name[:8].isdecimal():
        raise InputError(f"name: '{name}' would be taken for an id or for the newest run: begin with another word")
    _write(run, workspace, "name", name, as_json=as_json)


def _write(
    run: str, workspace: WorkspaceOption, operation: Literal["note", "name"], value: str | None, *, as_json: bool
) -> None:
    from lovt_core.runs.control import read_control, read_labels
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.queueing.requests import label_run

    found = find_run(get_workspace(workspace, reading=True), run)
    labels = label_run(found, operation, value) if value is not None else read_labels(read_control(found.control))
    written = getattr(labels, operation) or ""
    if as_json:
        print_json({"id": found.id, operation: written})
    else:
        sys.stdout.write(f"{visible(written)}\n")
