"""What the schema says to a document, key by key, in the words that the command line has for it."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from lovt_core.config.experiment import Experiment
from lovt_core.config.misfits import find_misfits
from lovt_core.config.problems import describe, find_switches, name_key
from lovt_core.config.sweep_file import Sweep, load_sweep
from lovt_core.config.yaml_text import write_mapping
from lovt_core.errors import ConfigError
from lovt_tui.forms.shapes import read_shape

_EXPERIMENT: TypeAdapter[Experiment] = TypeAdapter(Experiment)
SWEEP_FILE = "sweep.yaml"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    part: str
    """Of the form: `experiment`, `sweep`, `base`, `launch`."""
    key: str
    """Empty: the whole."""
    message: str

    @property
    def text(self) -> str:
        """As one line."""
        return f"{self.key}: {self.message}" if self.key else self.message


def check_experiment(document: Mapping[str, Any]) -> tuple[Experiment | None, tuple[Problem, ...]]:
    """The experiment, or what is wrong with it."""
    try:
        experiment = _EXPERIMENT.validate_python(document)
    except ValidationError as error:
        found = {(_locate(Experiment, each["loc"]), _describe(each, document)) for each in error.errors()}
        return None, _sorted(Problem("experiment", key, message) for key, message in found)
    read = experiment.model_dump(mode="json", by_alias=True)
    wrong = tuple(
        Problem("experiment", name_key(place), "must be a number, not true or false")
        for place in find_switches(document, read)
    )
    wrong = wrong or tuple(Problem("experiment", name_key(place), text) for place, text in find_misfits(experiment))
    return (None, wrong) if wrong else (experiment, ())


def check_launch(schema: type[BaseModel], document: Mapping[str, Any]) -> tuple[BaseModel | None, tuple[Problem, ...]]:
    """The terms on which something is queued, or what is wrong with them."""
    try:
        return schema.model_validate(document), ()
    except ValidationError as error:
        found = ((name_key(each["loc"]), describe(each, document)) for each in error.errors())
        return None, _sorted(Problem("launch", key, message) for key, message in found)


def check_sweep(document: Mapping[str, Any], folder: Path) -> tuple[Sweep | None, tuple[Problem, ...]]:
    """The sweep as `load_sweep` reads it from a file in `folder`, or what it says is wrong."""
    with tempfile.TemporaryDirectory(prefix="lovt-") as place:
        file = Path(place) / SWEEP_FILE
        file.write_text(write_mapping(anchor(document, folder)), encoding="utf-8")
        try:
            return load_sweep(file), ()
        except ConfigError as error:
            return None, tuple(_read_line(line, file) for line in str(error).splitlines())


def anchor(document: Mapping[str, Any], folder: Path, target: Path | None = None) -> dict[str, Any]:
    """A sweep's document for a file elsewhere: paths of experiments beside the first one are written out."""
    anchored = dict(document)
    if target is not None and target.resolve() == folder.resolve():
        return anchored
    anchored["experiment"] = _anchored(document.get("experiment"), folder)
    evaluation = document.get("evaluation")
    if isinstance(evaluation, Mapping) and "experiment" in evaluation:
        anchored["evaluation"] = {**evaluation, "experiment": _anchored(evaluation["experiment"], folder)}
    return anchored


def _anchored(text: Any, folder: Path) -> Any:
    if not isinstance(text, str):
        return text
    beside = folder / Path(text).expanduser()
    return str(beside.resolve()) if beside.is_file() else text


def _read_line(line: str, file: Path) -> Problem:
    """A line of `load_sweep`; what an experiment file beside it says keeps the file's name."""
    if not line.startswith(str(file)):
        return Problem("base", "", line)
    text = re.sub(r"^:(\d+:)? ?", "", line.removeprefix(str(file)))
    key, colon, message = text.partition(": ")
    if not colon or " " in key:
        return Problem("sweep", "", text)
    if key == "set" and re.match(r"[\w.]+: ", message):
        key, _, message = message.partition(": ")
        return Problem("base", key, message)
    return Problem("sweep", key, message)


def _describe(problem: Any, document: Mapping[str, Any]) -> str:
    """The schema's words; they are about `kind` for every union, and other unions have other tags."""
    if not problem["type"].startswith("union_tag") or not problem["loc"]:
        return describe(problem, document)
    expected = str(problem["ctx"].get("expected_tags", "")).replace("'", "")
    is_missing = problem["type"] == "union_tag_not_found"
    return f"is missing: one of {expected}" if is_missing else f"unknown value: one of {expected}"


def _locate(schema: Any, location: tuple[str | int, ...]) -> str:
    """The key of an error: pydantic names the chosen model of each union on the way, the document does not."""
    return name_key(tuple(_keys(read_shape(schema), location)))


def _keys(shape: Any, location: tuple[str | int, ...]) -> Iterator[str | int]:
    if shape.kind == "union":
        tag, rest = (location[0], location[1:]) if location else (None, ())
        if tag not in shape.tags:
            yield shape.discriminator
            return
        yield from _keys_of_model(shape.tags[str(tag)], rest)
    elif shape.kind == "model":
        yield from _keys_of_model(shape.models[0], location)
    else:
        yield from location


def _keys_of_model(model: type[BaseModel], location: tuple[str | int, ...]) -> Iterator[str | int]:
    if not location:
        return
    yield location[0]
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    field = fields.get(str(location[0]))
    yield from location[1:] if field is None else _keys(read_shape(field), location[1:])


def _sorted(problems: Iterator[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda each: (each.key, each.message)))
