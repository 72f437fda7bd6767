"""Sweep files: read, and checked against the experiment whose keys they vary."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml.comments import CommentedMap

from lovt_core.config.evaluation import EvaluateExperiment
from lovt_core.config.experiment import Experiment
from lovt_core.config.loading import change_experiment, dump_experiment, find_experiment_file, load_experiment
from lovt_core.config.problems import describe, name_key
from lovt_core.config.sweep import (
    CategoricalParameter,
    Parameter,
    SharesParameter,
    SweepConfig,
    order_space,
)
from lovt_core.config.yaml_text import line_of, plain, read_mapping, write_mapping
from lovt_core.errors import ConfigError

PARAMETER_TYPES = ("float", "int", "categorical", "shares")


@dataclass(frozen=True)
class Sweep:
    """A sweep file with the experiments that it names."""

    config: SweepConfig
    base: Experiment
    """With the sweep's `set`; trials change it."""
    evaluation: EvaluateExperiment | None
    """Where an objective names tasks; encoder and tasks are filled in for each trial."""


def load_sweep(path: Path, overrides: Sequence[str] = ()) -> Sweep:
    """Read a sweep file and the experiments it names; `overrides` (`training.max_epochs=3`) change the base.

    Raises ConfigError listing every problem on a line of its own, as `file:line: key: message`.
    """
    content = read_mapping(path, "sweep file")
    config = _validate(path, content)
    base = _load_base(path, content, config, overrides)
    _check_space(path, content, config, base)
    _check_objective(path, content, config)
    evaluation = _load_evaluation(path, content, config) if any(each.tasks for each in config.objective) else None
    return Sweep(config, base, evaluation)


def dump_sweep(config: SweepConfig) -> str:
    """A sweep file with every default written out."""
    return write_mapping(config.model_dump(mode="json"))


def _validate(path: Path, content: CommentedMap) -> SweepConfig:
    try:
        return SweepConfig.model_validate(plain(content))
    except ValidationError as error:
        lines = (_describe(path, content, problem) for problem in error.errors())
        raise ConfigError("\n".join(dict.fromkeys(lines))) from error


def _describe(path: Path, content: CommentedMap, problem: Mapping[str, Any]) -> str:
    location = [part for place, part in enumerate(problem["loc"]) if not (place == 2 and part in PARAMETER_TYPES)]
    where = f"{path}{_find_line(content, location)}"
    kind = problem["type"]
    if kind == "extra_forbidden":
        message = "unknown key"
    elif kind == "union_tag_not_found":
        message = f"type is missing: one of {', '.join(PARAMETER_TYPES)}"
    elif kind == "union_tag_invalid":
        message = f"type: unknown value: one of {', '.join(PARAMETER_TYPES)}"
    else:
        message = describe(problem, content)
    return f"{where}: {name_key(location)}: {message}" if location else f"{where}: {message}"


def _find_line(content: CommentedMap, location: list[str | int]) -> str:
    """`:line` of the innermost key that the file has."""
    line, section = "", content
    for part in location:
        if not isinstance(section, CommentedMap) or part not in section:
            break
        line = f":{line_of(section, part)}"
        section = section[part]
    return line


def _load_base(path: Path, content: CommentedMap, config: SweepConfig, overrides: Sequence[str]) -> Experiment:
    where = f"{path}{_find_line(content, ['experiment'])}: experiment"
    base = load_experiment(_find_beside(path, config.experiment, where), overrides)
    if base.kind == "evaluate":
        raise ConfigError(f"{where}: is of kind evaluate: a sweep varies a pre-training; tasks stand under `objective`")
    if not config.set:
        return base
    try:
        return change_experiment(base, config.set)
    except ConfigError as error:
        raise ConfigError(_relocate(error, lambda key: f"{path}{_find_line(content, ['set', key])}: set")) from error


def _find_beside(path: Path, text: str, where: str) -> Path:
    beside = path.parent / Path(text).expanduser()
    if beside.is_file():
        return beside
    try:
        return find_experiment_file(text)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _relocate(error: ConfigError, where: Any) -> str:
    """Messages of `change_experiment` with the places in the sweep file from which the values came."""
    return "\n".join(dict.fromkeys(_relocated(str(error), where)))


def _relocated(text: str, where: Any) -> Iterator[str]:
    for line in text.splitlines():
        place, _, message = line.partition(": ")
        key = place.removeprefix("--set ").partition("=")[0]
        yield f"{where(key)}: {message}"


def _check_space(path: Path, content: CommentedMap, config: SweepConfig, base: Experiment) -> None:
    """Raise ConfigError unless the base takes the ends of each range and each choice."""
    problems: dict[str, None] = {}
    owners: dict[str, str] = {}
    for name in order_space(config.space):
        where = f"{path}{_find_line(content, ['space', name])}: space.{name}"
        for key in list_keys(name, config.space[name]):
            if (other := owners.setdefault(key, name)) != name:
                problems[f"{where}: {key} is set by {other} too"] = None
            if key in config.set:
                problems[f"{where}: {key} stands under `set` too"] = None
        for settings in _probe(config.space, name):
            try:
                change_experiment(base, settings)
            except ConfigError as error:
                problems.update(dict.fromkeys(_relocate(error, lambda _, place=where: place).splitlines()))
    if problems:
        raise ConfigError("\n".join(problems))


def _check_objective(path: Path, content: CommentedMap, config: SweepConfig) -> None:
    """Raise ConfigError for a loss that the space itself rescales."""
    losses = [each.metric for each in config.objective if each.metric and "loss" in each.metric]
    keys = [key for name, parameter in config.space.items() for key in list_keys(name, parameter)]
    rescaled = [key for key in keys if key.startswith("method.objective.")]
    if losses and rescaled:
        raise ConfigError(
            f"{path}{_find_line(content, ['objective'])}: objective: {losses[0]} is another function under each value "
            f"of {rescaled[0]}: its values cannot be compared; name tasks"
        )


def list_keys(name: str, parameter: Parameter) -> tuple[str, ...]:
    """Keys of the experiment that a parameter sets."""
    if isinstance(parameter, SharesParameter):
        return tuple(key for keys in parameter.parts.values() for key in keys)
    return parameter.keys or (name,)


def _probe(space: Mapping[str, Parameter], name: str) -> Iterator[dict[str, Any]]:
    """Settings of the base that have this parameter at its ends, under the conditions on which it is there."""
    parameter = space[name]
    given: dict[str, Any] = {}
    for other, values in parameter.when.items():
        value = values[0] if isinstance(values, tuple) else values
        given |= next(_probe(space, other)) | dict.fromkeys(list_keys(other, space[other]), value)
    if isinstance(parameter, SharesParameter):
        keys = list_keys(name, parameter)
        yield dict.fromkeys(keys, parameter.total / len(keys))
        return
    ends = parameter.choices if isinstance(parameter, CategoricalParameter) else (parameter.low, parameter.high)
    for end in ends:
        yield given | dict.fromkeys(list_keys(name, parameter), end)


def _load_evaluation(path: Path, content: CommentedMap, config: SweepConfig) -> EvaluateExperiment:
    where = f"{path}{_find_line(content, ['evaluation', 'experiment'])}: evaluation.experiment"
    loaded = load_experiment(_find_beside(path, config.evaluation.experiment, where))
    if loaded.kind == "evaluate" and config.evaluation.set:
        try:
            loaded = change_experiment(loaded, config.evaluation.set)
        except ConfigError as error:
            place = f"{path}{_find_line(content, ['evaluation', 'set'])}: evaluation.set"
            raise ConfigError(_relocate(error, lambda _: place)) from error
    if loaded.kind != "evaluate":
        raise ConfigError(f"{where}: is of kind {loaded.kind}: name one of kind evaluate")
    return loaded


def dump_base(sweep: Sweep) -> str:
    """The base experiment, whole."""
    return dump_experiment(sweep.base)
