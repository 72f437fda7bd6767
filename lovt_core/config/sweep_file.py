"""Sweep files: read, and checked against the experiment whose keys they vary."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

from pydantic import ValidationError
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from lovt_core.config.evaluation import EvaluateExperiment
from lovt_core.config.experiment import Experiment
from lovt_core.config.loading import (
    change_experiment,
    dump_experiment,
    find_experiment_file,
    load_experiment,
    read_kind,
)
from lovt_core.config.sweep import (
    CategoricalParameter,
    FloatParameter,
    IntParameter,
    Parameter,
    SharesParameter,
    SweepConfig,
    order_space,
)
from lovt_core.config.sweep_problems import find_line, list_problems
from lovt_core.config.yaml_text import parse_value, plain, read_mapping, write_mapping
from lovt_core.errors import ConfigError


@dataclass(frozen=True)
class Sweep:
    """A sweep file with the experiments that it names."""

    config: SweepConfig
    base: Experiment
    """With the sweep's `set`; trials change it."""
    evaluation: EvaluateExperiment | None
    """Where an objective names tasks; encoder and tasks are filled in for each trial."""


def load_sweep(path: Path, overrides: Sequence[str] = ()) -> Sweep:
    """Read a sweep file and the experiments it names.

    `overrides` (`training.max_epochs=3`) stand for keys under `set`, and before those that the file has.
    Raises ConfigError listing every problem on a line of its own, as `file:line: key: message`.
    """
    content = read_mapping(path, "sweep file")
    config = _validate(path, content)
    changes = _read_changes(path, content, config, overrides)
    base = _load_base(path, content, config, changes)
    _check_space(path, content, config, base)
    _check_changes(config, changes)
    _check_objective(path, content, config)
    evaluation = _load_evaluation(path, content, config) if any(each.tasks for each in config.objective) else None
    merged = {key: change.value for key, change in changes.items()}
    return Sweep(config.model_copy(update={"set": merged}), base, evaluation)


def dump_sweep(config: SweepConfig) -> str:
    """A sweep file with every default written out."""
    return write_mapping(config.model_dump(mode="json"))


@dataclass(frozen=True)
class Change:
    """What is another in the base in every trial."""

    where: str
    """Begins a message: the place in the sweep file, or the option of the command line."""
    value: Any
    is_option: bool = False


def _validate(path: Path, content: CommentedMap) -> SweepConfig:
    try:
        return SweepConfig.model_validate(plain(content))
    except ValidationError as error:
        raise ConfigError("\n".join(list_problems(error, content, str(path)))) from error


def _read_changes(
    path: Path, content: CommentedMap, config: SweepConfig, overrides: Sequence[str]
) -> dict[str, Change]:
    """Key -> its value under `set`, or that of the newest option for it; raises ConfigError for what is no option."""
    changes = {
        key: Change(f"{path}{find_line(content, ['set', key])}: set", value) for key, value in config.set.items()
    }
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator or not key.strip():
            raise ConfigError(f"override '{override}' is not of the form key.path=value")
        try:
            value = plain(parse_value(text))
        except YAMLError as error:
            raise ConfigError(f"override '{override}': the value is not valid YAML") from error
        changes.pop(key.strip(), None)
        changes[key.strip()] = Change(f"--set {override}", value, is_option=True)
    return changes


def _load_base(path: Path, content: CommentedMap, config: SweepConfig, changes: Mapping[str, Change]) -> Experiment:
    """The base with all changes at once: one may need another."""
    where = f"{path}{find_line(content, ['experiment'])}: experiment"
    file = _find_beside(path, config.experiment, where)
    wrong_kind = f"{where}: is of kind evaluate: a sweep varies a pre-training; tasks stand under `objective`"
    if read_kind(file) == "evaluate":
        raise ConfigError(wrong_kind)
    try:
        base = load_experiment(file, [f"{key}={json.dumps(change.value)}" for key, change in changes.items()])
    except ConfigError as error:
        raise ConfigError("\n".join(_relocate_changes(str(error), changes))) from error
    if base.kind == "evaluate":
        raise ConfigError(wrong_kind)
    return base


def _relocate_changes(text: str, changes: Mapping[str, Change]) -> Iterator[str]:
    """Messages of `load_experiment`, those on changes with the places from which these came."""
    for line in text.splitlines():
        found = re.match(r"--set ([^=]+)=", line)
        change = changes.get(found[1]) if found else None
        if change is None or found is None:
            yield line
        else:
            yield line.replace(f"--set {found[1]}={json.dumps(change.value)}", change.where, 1)


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
    """Raise ConfigError unless the base takes the ends of each range, values between them and each choice."""
    problems: dict[str, None] = {}
    owners: dict[str, str] = {}
    for name in order_space(config.space):
        where = f"{path}{find_line(content, ['space', name])}: space.{name}"
        for key in list_keys(name, config.space[name]):
            other = next((owner for taken, owner in owners.items() if overlap(key, taken) and owner != name), None)
            owners.setdefault(key, name)
            if other is not None:
                problems[f"{where}: {key} is set by {other} too"] = None
            if any(overlap(key, other) for other in config.set):
                problems[f"{where}: {key} stands under `set` too"] = None
        for settings in _probe(config.space, name):
            try:
                change_experiment(base, settings)
            except ConfigError as error:
                problems.update(dict.fromkeys(_explain(error, where, config.space[name])))
    if problems:
        raise ConfigError("\n".join(problems))


def _explain(error: ConfigError, where: str, parameter: Parameter) -> Iterator[str]:
    for line in _relocate(error, lambda _: where).splitlines():
        key, colon, message = line.removeprefix(f"{where}: ").partition(": ")
        if isinstance(parameter, FloatParameter) and colon and message.startswith("must be a whole number"):
            yield f"{where}: {key} takes whole numbers only: write type: int"
        else:
            yield line


def _check_changes(config: SweepConfig, changes: Mapping[str, Change]) -> None:
    """Raise ConfigError for an option that sets what the sweep varies."""
    searched = {key: name for name, parameter in config.space.items() for key in list_keys(name, parameter)}
    for key, change in changes.items():
        clash = next((name for other, name in searched.items() if overlap(key, other)), None)
        if change.is_option and clash is not None:
            raise ConfigError(f"{change.where}: the sweep searches space.{clash}: leave the option out")


def overlap(one: str, other: str) -> bool:
    """Whether two keys are the same, or one is a section that holds the other."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _check_objective(path: Path, content: CommentedMap, config: SweepConfig) -> None:
    """Raise ConfigError for a loss that the space itself rescales."""
    losses = [each.metric for each in config.objective if each.metric and "loss" in each.metric]
    keys = [key for name, parameter in config.space.items() for key in list_keys(name, parameter)]
    rescaled = [key for key in keys if key.startswith("method.objective.")]
    if losses and rescaled:
        raise ConfigError(
            f"{path}{find_line(content, ['objective'])}: objective: {losses[0]} is another function under each value "
            f"of {rescaled[0]}: its values cannot be compared; name tasks"
        )


def list_keys(name: str, parameter: Parameter) -> tuple[str, ...]:
    """Keys of the experiment that a parameter sets."""
    if isinstance(parameter, SharesParameter):
        return tuple(key for keys in parameter.parts.values() for key in keys)
    if isinstance(parameter, CategoricalParameter) and parameter.settings:
        return tuple(dict.fromkeys(key for settings in parameter.settings.values() for key in settings))
    return parameter.keys or (name,)


def expand_value(name: str, parameter: Parameter, value: Any) -> dict[str, Any]:
    """Keys of the experiment with what a value of a parameter (not shares) means for them."""
    if isinstance(parameter, CategoricalParameter) and parameter.settings:
        return dict(parameter.settings.get(value, {}))
    return dict.fromkeys(list_keys(name, parameter), value)


def _probe(space: Mapping[str, Parameter], name: str) -> Iterator[dict[str, Any]]:
    """Settings of the base that have this parameter at its ends, under the conditions on which it is there."""
    parameter = space[name]
    given: dict[str, Any] = {}
    for other, values in parameter.when.items():
        value = values[0] if isinstance(values, tuple) else values
        given |= next(_probe(space, other)) | expand_value(other, space[other], value)
    if isinstance(parameter, SharesParameter):
        keys = list_keys(name, parameter)
        yield dict.fromkeys(keys, parameter.total / len(keys))
        return
    for value in _values_to_try(parameter):
        yield given | expand_value(name, parameter, value)


def _values_to_try(parameter: FloatParameter | IntParameter | CategoricalParameter) -> tuple[Any, ...]:
    """Each choice; of a range the ends and something between, for a real one no round number."""
    match parameter:
        case CategoricalParameter():
            return parameter.choices
        case IntParameter(low=low, high=high, step=step):
            return low, high, low + (high - low) // (step or 1) // 2 * (step or 1)
        case FloatParameter(low=low, high=high):
            return low, high, low + (high - low) / 2, low + (high - low) * (math.sqrt(2) - 1)
    assert_never(parameter)


def _load_evaluation(path: Path, content: CommentedMap, config: SweepConfig) -> EvaluateExperiment:
    where = f"{path}{find_line(content, ['evaluation', 'experiment'])}: evaluation.experiment"
    loaded = load_experiment(_find_beside(path, config.evaluation.experiment, where))
    if loaded.kind == "evaluate" and config.evaluation.set:
        try:
            loaded = change_experiment(loaded, config.evaluation.set)
        except ConfigError as error:
            place = f"{path}{find_line(content, ['evaluation', 'set'])}: evaluation.set"
            raise ConfigError(_relocate(error, lambda _: place)) from error
    if loaded.kind != "evaluate":
        raise ConfigError(f"{where}: is of kind {loaded.kind}: name one of kind evaluate")
    return loaded


def dump_base(sweep: Sweep) -> str:
    """The base experiment, whole."""
    return dump_experiment(sweep.base)
