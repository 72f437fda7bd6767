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


def check_out(out: Path | None, force: bool, option: str = "--out") -> None:
    """Raises InputError where nothing may be written; call it before the work is done."""
    from lovt_core.errors import InputError

    if out is None:
        return
    if out.is_dir():
        raise InputError(f"{option} {out} is a folder: name a file")
    if not out.parent.is_dir():
        raise InputError(f"there is no folder {out.parent} for {option} {out}: make it first")
    if out.exists() and not force:
        raise InputError(f"{out} exists: give --force to replace it, or another name")


def check_picture(out: Path | None, force: bool, option: str = "--out") -> None:
    """As `check_out`, for a picture, whose name must end in .png."""
    from lovt_core.errors import InputError

    if out is not None and not out.is_dir() and out.suffix.lower() != ".png":
        raise InputError(f"{option} {out}: the picture is a PNG: give a name that ends in .png")
    check_out(out, force, option)


def check_folder(folder: Path | None, option: str = "--out") -> None:
    """Raises InputError where no folder can be made; call it before the work is done."""
    from lovt_core.errors import InputError

    for each in (folder, *folder.parents) if folder is not None else ():
        if each.exists() and not each.is_dir():
            raise InputError(f"{option} {folder}: {each} is a file: name a folder")


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
