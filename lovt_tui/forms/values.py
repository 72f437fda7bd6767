"""Values as a form shows them, and typed text as the values that it means."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lovt_tui.forms.paths import MISSING

if TYPE_CHECKING:
    from lovt_tui.forms.fields import Field

NONE = "none"
"""How the form shows an empty value."""


def show_value(value: Any) -> str:
    """A value in one line: `true`, `0.6, 1.0`, `none`."""
    if value is MISSING:
        return ""
    if value is None:
        return NONE
    if isinstance(value, list | tuple) and not any(isinstance(item, list | tuple | Mapping) for item in value):
        return ", ".join(show_value(item) for item in value)
    if isinstance(value, bool | list | tuple | Mapping):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def edit_text(value: Any) -> str:
    """What stands in the line when editing begins."""
    return "" if value is None or value is MISSING else show_value(value)


def parse_text(field: "Field", text: str) -> Any:
    """The value that somebody means; text that is no value of the kind is kept for the schema to judge."""
    text = text.strip()
    if field.is_optional and text in ("", NONE):
        return None
    if field.form in ("text", "choice"):
        return text
    if field.form == "list" and not text.startswith("["):
        text = f"[{text}]"
    return parse_yaml(text)


def parse_yaml(text: str) -> Any:
    """One YAML value as plain containers; what is no YAML is a text."""
    from ruamel.yaml.error import YAMLError

    from lovt_core.config.yaml_text import parse_value, plain

    try:
        return plain(parse_value(text)) if text else ""
    except (YAMLError, ValueError, RecursionError):
        return text
