"""Search ranges in one line: `1e-5 to 0.1 log`, `16 to 64 step 16`, `cosine, constant`."""

import re
from collections.abc import Mapping
from typing import Any

from lovt_core.errors import InputError
from lovt_tui.forms.fields import Field
from lovt_tui.forms.paths import MISSING
from lovt_tui.forms.values import edit_text, parse_yaml, show_value

HINT = "0.01 to 1 log, or 16 to 64 step 16, or choices: cosine, linear"
"""What a range looks like."""
_RANGE = re.compile(r"^(?P<low>\S+)\s+to\s+(?P<high>\S+)(?P<log>\s+log)?(\s+step\s+(?P<step>\S+))?(\s+(?P<rest>.+))?$")


def describe_parameter(parameter: Mapping[str, Any]) -> str:
    """A parameter of a space in one line; what is no parameter as it is."""
    match parameter:
        case {"type": "categorical", "choices": list() as choices}:
            return ", ".join(show_value(each) for each in choices)
        case {"type": "float" | "int", "low": low, "high": high}:
            step = f" step {show_value(parameter['step'])}" if parameter.get("step") is not None else ""
            return f"{show_value(low)} to {show_value(high)}{' log' if parameter.get('log') else ''}{step}"
        case {"type": "shares", "total": total, "parts": Mapping() as parts}:
            return f"shares of {show_value(total)}: {', '.join(map(str, parts))}"
    return show_value(dict(parameter))


def parse_parameter(field: Field, text: str) -> dict[str, Any]:
    """The parameter that a line means for a key; raises InputError with what it should be."""
    text = text.strip()
    if found := _RANGE.match(text):
        if found["rest"]:
            raise InputError(f"'{found['rest']}' says nothing: write {HINT}")
        low, high = _number(found["low"]), _number(found["high"])
        is_whole = field.wanted.startswith("a whole number")
        if is_whole and not all(isinstance(each, int) for each in (low, high)):
            raise InputError("the key takes whole numbers only: give two of them")
        parameter = {"type": "int" if is_whole else "float", "low": low, "high": high}
        if found["log"]:
            parameter["log"] = True
        if found["step"]:
            parameter["step"] = _number(found["step"])
        return parameter
    choices = parse_yaml(text if text.startswith("[") else f"[{text}]")
    if not isinstance(choices, list) or len(choices) < 2:
        raise InputError(f"that is no range and no choices: write {HINT}")
    return {"type": "categorical", "choices": choices}


def parse_entry(field: Field, text: str, original: Any = MISSING) -> Any:
    """A parameter of a space from a line; a line that is none, or begins with a brace, as YAML.

    Its other keys are kept, those of the `original` where what stands there now is no parameter.
    """
    before = next((each for each in (field.value, original) if isinstance(each, Mapping)), {})
    kept = {key: before[key] for key in ("keys", "when", "settings") if key in before}
    try:
        parameter = parse_yaml(text) if text.lstrip().startswith("{") else {**parse_parameter(field, text), **kept}
    except InputError:
        return parse_yaml(text)
    if before.get("type") == "int" and parameter.get("type") == "float":
        numbers = [parameter["low"], parameter["high"]]
        parameter["type"] = "int" if all(isinstance(each, int) for each in numbers) else "float"
    return parameter


def explain_entry(value: Any) -> str:
    """Why what stands in place of a parameter is none, and what one looks like; empty for a section, which has keys."""
    if isinstance(value, Mapping):
        return ""
    try:
        parse_parameter(Field((), "text", value), show_value(value))
    except InputError as error:
        return str(error)
    return f"that is no parameter: write {HINT}"


def edit_entry(value: Any) -> str:
    """What stands in the line when a section is edited: a range, or YAML."""
    is_range = isinstance(value, Mapping) and value.get("type") in ("float", "int", "categorical")
    return describe_parameter(value) if is_range else edit_text(value)


def check_parameter(field: Field, text: str) -> None:
    """Raise InputError for a line that is no parameter, in the schema's words where it has some."""
    from pydantic import TypeAdapter, ValidationError

    from lovt_core.config.problems import describe
    from lovt_core.config.sweep import Parameter

    parameter = parse_parameter(field, text)
    try:
        TypeAdapter[Any](Parameter).validate_python(parameter)
    except ValidationError as error:
        first: Any = error.errors()[0]
        raise InputError(describe(first, parameter)) from error


def suggest_range(field: Field) -> str:
    """A range to begin with: a factor of ten both ways, or all choices."""
    if field.choices:
        return ", ".join(field.choices)
    if field.form == "bool":
        return "true, false"
    value = field.value
    if field.value is MISSING or isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return ""
    if isinstance(value, int):
        return f"{max(1, value // 2)} to {value * 2}"
    return f"{value / 10:g} to {value * 10:g} log"


def _number(text: str) -> int | float:
    value = parse_yaml(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"'{text}' is no number: write {HINT}")
    return value
