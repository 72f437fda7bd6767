"""What is wrong with a sweep file, said with its line, its key and what would be right."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml.comments import CommentedMap

from lovt_core.config.problems import describe, name_key
from lovt_core.config.sweep import (
    CategoricalParameter,
    EvaluationConfig,
    FloatParameter,
    IntParameter,
    ObjectiveConfig,
    PrunerConfig,
    SamplerConfig,
    SharesParameter,
    StartConfig,
    SweepConfig,
)
from lovt_core.config.sweep_checks import REFUSED
from lovt_core.config.yaml_text import line_of

Location = Sequence[str | int]
PARAMETERS: dict[str, type[BaseModel]] = {
    "float": FloatParameter,
    "int": IntParameter,
    "categorical": CategoricalParameter,
    "shares": SharesParameter,
}
SECTIONS: dict[str, type[BaseModel]] = {
    "objective": ObjectiveConfig,
    "evaluation": EvaluationConfig,
    "sampler": SamplerConfig,
    "pruner": PrunerConfig,
    "start_with": StartConfig,
}
_EXAMPLES = {
    "set": "{training.max_epochs: 20}",
    "space": "{training.optimiser.learning_rate: {type: float, low: 1.0e-5, high: 1.0e-3}}",
    "when": "{training.schedule.name: cosine}",
    "parts": "{local: [method.objective.regions.local_to_attended]}",
}


def list_problems(error: ValidationError, content: CommentedMap, file: str) -> list[str]:
    """A line `file:line: key: message` for each problem that `SweepConfig` has with the content of a file, once."""
    return list(dict.fromkeys(_describe(file, content, problem) for problem in error.errors()))


def find_line(content: Any, location: Location) -> str:
    """`:line` of the innermost key that the file has."""
    line, section = "", content
    for part in location:
        if isinstance(section, CommentedMap) and part in section:
            line = f":{line_of(section, part)}" if line_of(section, part) else line
            section = section[part]
        elif isinstance(section, list) and isinstance(part, int) and part < len(section):
            section = section[part]
            line = f":{section.lc.line + 1}" if isinstance(section, CommentedMap) else line
        elif not (isinstance(section, CommentedMap) and part == 0):  # one objective may stand without its list
            break
    return line


def _describe(file: str, content: CommentedMap, problem: Mapping[str, Any]) -> str:
    found, context = problem["loc"], problem.get("ctx", {})
    location = [part for place, part in enumerate(found) if not (place == 2 and part in PARAMETERS)]
    match problem["type"]:
        case "extra_forbidden":
            message = f"unknown key{_suggest_key(found)}"
        case "union_tag_not_found":
            message = f"type is missing: one of {', '.join(PARAMETERS)}"
        case "union_tag_invalid":
            near = difflib.get_close_matches(str(context.get("tag")), PARAMETERS, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            message = f"type: unknown value '{context.get('tag')}': one of {', '.join(PARAMETERS)}{hint}"
        case "dict_type" | "mapping_type":
            message = f"must be keys with values, such as {_EXAMPLES.get(str(location[-1]), '{key: value}')}"
        case kind if kind == REFUSED:
            location, message = list(context["where"]), str(context["message"])
        case _:
            message = describe(problem, content)
    return ": ".join(filter(None, (f"{file}{find_line(content, location)}", name_key(location), message)))


def _suggest_key(location: Location) -> str:
    """The nearest key of the section, else all of them."""
    known = list(_find_section(location).model_fields)
    near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else f"; known keys: {', '.join(known)}"


def _find_section(location: Location) -> type[BaseModel]:
    if len(location) == 1:
        return SweepConfig
    if location[0] == "space":
        return PARAMETERS[str(location[2])]
    return SECTIONS[str(location[0])]
