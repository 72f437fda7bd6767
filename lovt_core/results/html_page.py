"""How templates become pages: strict, escaped, without characters that would steer a terminal or turn a line around."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup


def open_templates(folder: Path) -> Environment:
    """The templates of a folder."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_drop_controls,
    )


def _drop_controls(value: Any) -> Any:
    """Text without control characters, marks that turn the direction of writing among them; markup has been here."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in value)
