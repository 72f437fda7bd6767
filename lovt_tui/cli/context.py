"""What every command needs: the workspace, JSON output, and options spelled the same everywhere."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from lovt_core.runs.indexing.index import Index
    from lovt_core.runs.workspace import Workspace

WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", help="Workspace folder [default: $LOVT_HOME, else the nearest lovt-workspace]."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="KEY=VALUE", help="Override one value, e.g. training.max_epochs=3."),
]
DetachOption = Annotated[bool, typer.Option("--detach", "-d", help="Queue the run and return at once.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Run id, unique prefix, name, or `last`.")]


PIPE_WIDTH = 200


def get_workspace(path: Path | None, *, reading: bool = False) -> "Workspace":
    """The workspace of this command; one that is only read and was named must exist (raises InputError)."""
    from lovt_core.errors import InputError
    from lovt_core.runs.workspace import find_workspace

    if reading and path is not None and not path.expanduser().exists():
        raise InputError(f"there is no workspace {path}: name one with runs, or leave --workspace out")
    return find_workspace(path)


def open_index(workspace: "Workspace") -> "Index":
    """The index, synced."""
    from lovt_core.runs.indexing.index import Index

    index = Index(workspace)
    index.sync()
    return index


def get_console(stderr: bool = False) -> "Console":
    """A rich console on stdout, or on stderr for progress; in a pipe lines may be as long as they need to be."""
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=PIPE_WIDTH)


def visible(text: str) -> str:
    """The text with control characters (but line breaks) written out: cells of tables must not steer a terminal."""
    return "".join(each if each.isprintable() or each in "\n\t" else repr(each)[1:-1] for each in text)


def print_json(value: Any) -> None:
    """One JSON document on stdout; numbers that are not finite become `nan`, `inf`, `-inf`."""
    sys.stdout.write(json.dumps(_encodable(value), indent=1, ensure_ascii=False, default=str) + "\n")


def _encodable(value: Any) -> Any:
    from lovt_core.runs.lines import encode_number

    if isinstance(value, float):
        return encode_number(value)
    if isinstance(value, dict):
        return {str(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value
