"""What is wrong with an experiment, said in the words of its file: key, value given, what would be right."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lovt_core.config.experiment import Experiment
from lovt_core.config.methods import METHODS, MethodConfig

KINDS = ("pretrain", "evaluate", "selftest")
_KINDS_OF_VALUES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "tuple": "a list",
    "model": "a section of keys",
}
_LIMITS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


def locate(problem: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Where a pydantic error lies in the experiment: keys and positions in lists, without the tags of unions."""
    location = tuple(problem["loc"])
    if problem["type"].startswith("union_tag"):
        return (*location[1:], "name") if location else ("kind",)
    if location[1:2] == ("method",) and len(location) > 2:
        return (*location[1:2], *location[3:])
    return location[1:]


def name_key(location: Sequence[str | int]) -> str:
    """`training.max_epochs`, and `crop_area[1]` inside a list."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def describe(problem: Mapping[str, Any], experiment: Mapping[str, Any]) -> str:
    """One pydantic error as the end of a sentence that begins with the key."""
    kind, given = problem["type"], problem["input"]
    context = problem.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return f"unknown key{_suggest_key(experiment, locate(problem))}"
        case "missing":
            return "is missing"
        case "union_tag_not_found":
            return f"is missing: one of {', '.join(KINDS)}"
        case "union_tag_invalid" if problem["loc"]:
            return _unknown_value(given["name"], METHODS)
        case "union_tag_invalid":
            return _unknown_value(experiment.get("kind"), KINDS)
        case "literal_error":
            return _unknown_value(given, _choices(context["expected"]))
        case "finite_number":
            return f"must be a finite number, not {_show(given)}"
        case "too_short" | "too_long":
            return f"must have {_count(kind, context)}, not {context['actual_length']}"
        case "value_error":
            return str(problem["msg"]).removeprefix("Value error, ")
    if kind in _LIMITS:
        words, name = _LIMITS[kind]
        return f"must be {words} {context[name]:g}, not {_show(given)}"
    if wanted := _KINDS_OF_VALUES.get(kind.split("_")[0]):
        quotes = ": put it in quotes" if wanted == "text" and isinstance(given, int | float) else ""
        return f"must be {wanted}, not {_show(given)}{quotes}"
    return str(problem["msg"])


def find_other_methods_keys(
    problems: Iterable[Mapping[str, Any]], experiment: Mapping[str, Any]
) -> list[tuple[str | int, ...]]:
    """Places below `method` of unknown keys that only other methods have; none where the method itself is unknown."""
    method = experiment.get("method")
    if not isinstance(method, Mapping) or method.get("name") not in METHODS:
        return []
    known = {key for model in get_args(get_args(MethodConfig)[0]) for key in _all_keys(model, {})}
    strange = [locate(problem) for problem in problems if problem["type"] == "extra_forbidden"]
    return [place for place in strange if place[:1] == ("method",) and name_key(place[1:]) in known]


def find_switches(given: Any, read: Any, location: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where `true` or `false` was read as the number 1 or 0, which is never meant.

    `given` is the experiment as plain containers, `read` the same after validation.
    """
    if isinstance(given, bool) and isinstance(read, int | float) and not isinstance(read, bool):
        yield location
    elif isinstance(given, Mapping) and isinstance(read, Mapping):
        for key in given.keys() & read.keys():
            yield from find_switches(given[key], read[key], (*location, key))
    elif isinstance(given, list) and isinstance(read, list):
        for position, (before, after) in enumerate(zip(given, read, strict=False)):
            yield from find_switches(before, after, (*location, position))


def _choices(expected: str) -> list[str]:
    """pydantic's "'a', 'b' or 'c'" as a list."""
    return [choice.strip().strip("'") for choice in expected.replace(" or ", ", ").split(",")]


def _count(kind: str, context: Mapping[str, Any]) -> str:
    number = context["min_length"] if kind == "too_short" else context["max_length"]
    bound = "at least" if kind == "too_short" else "at most"
    return f"{bound} {number} {'value' if number == 1 else 'values'}"


def _show(value: Any) -> str:
    """A value as the file spells it, long ones cut, sections and lists only named."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a section"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value) if len(str(value)) <= 60 else f"{str(value)[:57]}..."
    return f"'{text}'" if isinstance(value, str) else text


def _unknown_value(value: Any, choices: Sequence[str]) -> str:
    near = difflib.get_close_matches(value, choices, n=1, cutoff=0.4) if isinstance(value, str) else []
    hint = f"; did you mean '{near[0]}'?" if near and len(choices) > 1 else ""
    return f"unknown value {_show(value)}: {'one of ' if len(choices) > 1 else 'only '}{', '.join(choices)}{hint}"


def _suggest_key(experiment: Mapping[str, Any], location: Sequence[str | int]) -> str:
    """The same key where it belongs, else the nearest one of this section, else all of this section."""
    *parents, key = location
    model = _find_section(experiment, parents)
    known = list(_fields(model))
    everywhere = _all_keys(_find_section(experiment, ()), experiment)
    elsewhere = [path for path in everywhere if path.rpartition(".")[2] == key]
    near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.6)
    if near or elsewhere:
        return f"; did you mean '{(near or elsewhere)[0]}'?"
    return f"; known keys: {', '.join(known)}"


def _find_section(experiment: Mapping[str, Any], parents: Sequence[str | int]) -> type[BaseModel] | None:
    """The schema of the section at `parents` in an experiment of its kind and method."""
    union, kind = get_args(Experiment)[0], experiment.get("kind")
    model: type[BaseModel] | None = next(
        (item for item in get_args(union) if item.model_fields["kind"].default == kind), None
    )
    section: Any = experiment
    for parent in parents:
        section = section.get(parent) if isinstance(section, Mapping) else None
        field = _fields(model).get(str(parent))
        model = None if field is None else _section(field, section)
    return model


def _fields(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    """By key."""
    return {field.alias or name: field for name, field in model.model_fields.items()} if model else {}


def _all_keys(model: type[BaseModel] | None, given: Any) -> Iterator[str]:
    """Every key below a section, with the path to it; `given` is what the experiment has there."""
    yield from _fields(model)
    for key, field in _fields(model).items():
        below = given.get(key) if isinstance(given, Mapping) else None
        section = _section(field, below)
        if section is not None:
            yield from (f"{key}.{path}" for path in _all_keys(section, below))


def _section(field: FieldInfo, given: Any) -> type[BaseModel] | None:
    """The schema of a field that is a section; of several that a key tells apart, the given one, else the default."""
    kinds = (field.annotation, *get_args(field.annotation))
    sections = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    key = field.discriminator
    if len(sections) > 1 and isinstance(key, str):
        own = getattr(field.default, key, None)
        wanted = given.get(key, own) if isinstance(given, Mapping) else own
        return next((each for each in sections if each.model_fields[key].default == wanted), None)
    return sections[-1] if sections else None
