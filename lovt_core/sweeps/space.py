"""A sweep's space: what Optuna is asked for, what that means for the experiment, and the way back.

Shares of a total are asked for as fractions: the part at its turn takes such a piece of what is left that, with
fractions uniform between 0 and 1, every division is equally likely (stick breaking).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from lovt_core.config.experiment import Experiment
from lovt_core.config.loading import change_experiment
from lovt_core.config.sweep import (
    CategoricalParameter,
    FloatParameter,
    IntParameter,
    Parameter,
    SharesParameter,
    list_values,
    order_space,
)
from lovt_core.config.sweep_file import expand_value, list_keys

Space = Mapping[str, Parameter]
FRACTION = FloatDistribution(0.0, 1.0)


class Asked(Protocol):
    """The part of an Optuna trial that is asked for values."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int: ...

    def suggest_categorical(self, name: str, choices: Any) -> Any: ...


def suggest(trial: Asked, space: Space) -> dict[str, Any]:
    """Ask for each parameter that is there under the values of the others; name -> value."""
    params: dict[str, Any] = {}
    for name in order_space(space):
        if is_active(space[name], params):
            for part, distribution in distributions(name, space[name]).items():
                params[part] = _ask(trial, part, distribution)
    return params


def _ask(trial: Asked, name: str, distribution: BaseDistribution) -> Any:
    match distribution:
        case FloatDistribution(low=low, high=high, step=step, log=log):
            return trial.suggest_float(name, low, high, step=step, log=log)
        case IntDistribution(low=low, high=high, step=step, log=log):
            return trial.suggest_int(name, low, high, step=step, log=log)
        case CategoricalDistribution(choices=choices):
            return trial.suggest_categorical(name, choices)
    raise TypeError(f"{name}: {distribution} is no distribution of a sweep")


def is_active(parameter: Parameter, params: Mapping[str, Any]) -> bool:
    """Whether a parameter is there beside these values; one whose condition is itself absent is not."""
    return all(
        other in params and params[other] in (wanted if isinstance(wanted, tuple) else (wanted,))
        for other, wanted in parameter.when.items()
    )


def distributions(name: str, parameter: Parameter) -> dict[str, BaseDistribution]:
    """What Optuna knows a parameter by: itself, or the fraction of each part but the last."""
    match parameter:
        case FloatParameter():
            return {name: FloatDistribution(parameter.low, parameter.high, log=parameter.log, step=parameter.step)}
        case IntParameter():
            return {name: IntDistribution(parameter.low, parameter.high, log=parameter.log, step=parameter.step or 1)}
        case CategoricalParameter():
            return {name: CategoricalDistribution(parameter.choices)}
        case SharesParameter():
            return {f"{name}.{part}": FRACTION for part in list(parameter.parts)[:-1]}


def all_distributions(space: Space) -> dict[str, BaseDistribution]:
    """Of every parameter, whether or not it is always there."""
    return {name: each for key, parameter in space.items() for name, each in distributions(key, parameter).items()}


def list_grid(space: Space) -> dict[str, list[Any]]:
    """Every value of each parameter of a space that is a grid."""
    return {name: list_values(parameter) for name, parameter in space.items()}


def settings_of(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of the experiment with their values, from the values of the parameters."""
    settings: dict[str, Any] = {}
    for name in order_space(space):
        parameter = space[name]
        if isinstance(parameter, SharesParameter):
            settings |= dict(_divide(name, parameter, params))
        elif name in params:
            settings |= expand_value(name, parameter, params[name])
    return settings


def _divide(name: str, parameter: SharesParameter, params: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    rest, parts = 1.0, list(parameter.parts)
    for place, part in enumerate(parts):
        left = len(parts) - 1 - place
        piece = rest if left == 0 else rest * (1.0 - (1.0 - float(params[f"{name}.{part}"])) ** (1.0 / left))
        rest -= piece
        keys = parameter.parts[part]
        for key in keys:
            yield key, parameter.total * piece / len(keys)


def params_of(space: Space, experiment: Experiment, base: Experiment | None = None) -> tuple[dict[str, Any], list[str]]:
    """The values of the parameters in an experiment, and a sentence for each that the space does not contain.

    `base`: the experiment that configurations change; by default `experiment` itself.
    """
    document = experiment.model_dump(mode="json", by_alias=True)
    params: dict[str, Any] = {}
    problems: list[str] = []
    for name in order_space(space):
        parameter = space[name]
        if not is_active(parameter, params):
            continue
        values = [_look_up(document, key) for key in list_keys(name, parameter)]
        try:
            if isinstance(parameter, CategoricalParameter) and parameter.settings:
                params[name] = _recognise(parameter, list_keys(name, parameter), values, base or experiment)
            else:
                params |= _gather(name, parameter, values)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    return params, problems


def _look_up(document: Any, key: str) -> Any:
    for part in key.split("."):
        document = document.get(part) if isinstance(document, Mapping) else None
    return document


def _recognise(parameter: CategoricalParameter, keys: Sequence[str], values: list[Any], base: Experiment) -> Any:
    """The choice of which the base gets these values of the keys; raises ValueError where there is none."""
    for choice in parameter.choices:
        changed = change_experiment(base, parameter.settings.get(str(choice), {}))
        document = changed.model_dump(mode="json", by_alias=True)
        if [_look_up(document, key) for key in keys] == values:
            return choice
    raise ValueError("the experiment is none of its configurations")


def _gather(name: str, parameter: Parameter, values: list[Any]) -> dict[str, Any]:
    """Parameters of Optuna with these values of the keys; raises ValueError where there are none."""
    if isinstance(parameter, SharesParameter):
        return _fractions(name, parameter, values)
    if any(value != values[0] for value in values):
        raise ValueError(f"its keys have different values ({', '.join(map(str, values))})")
    value = values[0]
    if isinstance(parameter, CategoricalParameter):
        if value not in parameter.choices:
            raise ValueError(f"{value} is none of its choices")
        return {name: value}
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{value} is no number")
    if not parameter.low <= value <= parameter.high:
        raise ValueError(f"{value:g} lies outside {parameter.low:g} to {parameter.high:g}")
    if parameter.step is not None and not _is_whole((value - parameter.low) / parameter.step):
        raise ValueError(f"{value:g} lies between the steps of {parameter.step:g} from {parameter.low:g}")
    return {name: value}


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-8


def _fractions(name: str, parameter: SharesParameter, values: list[Any]) -> dict[str, Any]:
    if not all(isinstance(value, int | float) for value in values):
        raise ValueError("not all of its keys have a number")
    pieces: list[float] = []
    for keys in parameter.parts.values():
        part, values = values[: len(keys)], values[len(keys) :]
        if max(part) - min(part) > 1e-9 * parameter.total:
            raise ValueError(f"the keys of one part have different values ({', '.join(map(str, part))})")
        pieces.append(sum(part) / parameter.total)
    if abs(sum(pieces) - 1) > 1e-6:
        raise ValueError(f"its keys add up to {sum(pieces) * parameter.total:g}, not {parameter.total:g}")
    fractions: dict[str, Any] = {}
    rest, parts = 1.0, list(parameter.parts)
    for place, (part_name, piece) in enumerate(zip(parts[:-1], pieces, strict=False)):
        taken = min(1.0, piece / rest) if rest > 0 else 1.0
        fractions[f"{name}.{part_name}"] = 1.0 - (1.0 - taken) ** (len(parts) - 1 - place)
        rest -= piece
    return fractions
