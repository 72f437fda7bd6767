"""Where an export goes: stdout, or a file that is not replaced unasked."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import typer

OutOption = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write [default: stdout].")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")]
Format = TypeVar("Format", bound=str)


def choose_format(given: Format | None, out: Path | None, suffixes: Mapping[str, Format]) -> Format:
    """The format given, else that of the file's suffix; raises InputError where neither tells."""
    from lovt_core.errors import InputError

    if given is not None:
        return given
    if out is not None and (found := suffixes.get(out.suffix.lower())) is not None:
        return found
    known = ", ".join(dict.fromkeys(suffixes.values()))
    where = f"'{out.name}' does not tell the format" if out is not None else "no format is given"
    raise InputError(f"{where}: give --format with one of {known}, or --out with one of {', '.join(suffixes)}")


def check_out(out: Path | None, force: bool) -> None:
    """Raises InputError where nothing may be written; call it before the work is done."""
    from lovt_core.errors import InputError

    if out is None:
        return
    if out.is_dir():
        raise InputError(f"--out {out} is a folder: name a file")
    if not out.parent.is_dir():
        raise InputError(f"there is no folder {out.parent} for --out {out}: make it first")
    if out.exists() and not force:
        raise InputError(f"{out} exists: give --force to replace it, or another name")


def write_out(content: bytes, out: Path | None) -> None:
    """Write to stdout, or the whole file at once."""
    from lovt_core.files import write_bytes_atomic

    if out is not None:
        write_bytes_atomic(out, content, mode=0o644)
    elif (binary := getattr(sys.stdout, "buffer", None)) is not None:
        sys.stdout.flush()
        binary.write(content)
    else:
        sys.stdout.write(content.decode())
