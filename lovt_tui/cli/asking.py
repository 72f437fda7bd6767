"""Asking before something is gone."""

import sys
from typing import Annotated

import typer

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


def can_ask() -> bool:
    """Whether somebody sits at the keyboard."""
    return sys.stdin is not None and sys.stdin.isatty()


def is_agreed(question: str) -> bool:
    """The answer to a question on stderr; no answer is no. Raises InputError where nobody can be asked."""
    from lovt_core.errors import InputError

    if not can_ask():
        raise InputError(f"{question} give --yes to do it without being asked")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
