"""The sweep file: a base experiment, the space to search, how, for how long, and what is best."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from lovt_core.config.base import Name, Section, Seed
from lovt_core.config.sweep_checks import Scalar as Scalar  # part of what a sweep file is
from lovt_core.config.sweep_checks import check_choices, check_configurations, check_range, check_whole_range, refuse

Count = Annotated[int, Field(ge=1)]
Key = Annotated[str, Field(min_length=1)]
"""A key of the base experiment, such as `training.optimiser.learning_rate`."""
LARGEST_GRID = 100_000
"""Points that a grid may have."""


class _Parameter(Section):
    """What all parameters may have."""

    keys: tuple[Key, ...] = ()
    """Keys of the experiment that get the value, all the same; without them the parameter's own name is the key."""
    when: Mapping[Key, Scalar | tuple[Scalar, ...]] = {}
    """Other parameters by name with the values at which this one is there; else the base's value stands."""


class FloatParameter(_Parameter):
    """A real number."""

    type: Literal["float"]
    low: float
    high: float
    log: bool = False
    """Orders of magnitude are equally likely, instead of values."""
    step: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _is_range(self) -> Self:
        check_range(self.low, self.high, self.step, log=self.log)
        return self


class IntParameter(_Parameter):
    """A whole number."""

    type: Literal["int"]
    low: int
    high: int
    log: bool = False
    step: Count | None = None

    @model_validator(mode="after")
    def _is_range(self) -> Self:
        check_whole_range(self.low, self.high)
        check_range(self.low, self.high, self.step, log=self.log)
        return self


class CategoricalParameter(_Parameter):
    """One of some values without an order, or one of some configurations."""

    type: Literal["categorical"]
    choices: Annotated[tuple[Scalar | None, ...], Field(min_length=2), AfterValidator(check_choices)]
    settings: Mapping[str, Annotated[Mapping[Key, Any], Field(min_length=1)]] = {}
    """Of choices that are names: the keys that each sets. What one sets and another does not is there as in the base; a
    choice that stands only under `choices` is the base."""

    @model_validator(mode="after")
    def _are_configurations(self) -> Self:
        check_configurations(self.choices, self.settings, self.keys)
        return self


class SharesParameter(_Parameter):
    """Numbers that share a total, any division as likely as any other; `when` is not for them."""

    type: Literal["shares"]
    total: Annotated[float, Field(gt=0)]
    """What all keys of all parts add up to."""
    parts: Annotated[Mapping[Name, tuple[Key, ...]], Field(min_length=2)]
    """Name of each part -> the keys that get equal pieces of it."""

    @model_validator(mode="after")
    def _is_unconditional(self) -> Self:
        if self.when or self.keys:
            raise ValueError("shares have neither `when` nor `keys`: each part names its keys")
        if empty := [name for name, keys in self.parts.items() if not keys]:
            raise ValueError(f"parts.{empty[0]} names no key")
        return self


Parameter = Annotated[
    FloatParameter | IntParameter | CategoricalParameter | SharesParameter, Field(discriminator="type")
]


class ObjectiveConfig(Section):
    """What a trial is judged by: a metric of its pre-training, or validation scores of tasks afterwards."""

    metric: Key | None = None
    """Such as `val/loss`: its best value over the training."""
    tasks: tuple[Key, ...] | None = None
    """Task ids, globs or suites: the mean of their validation scores. Test scores are never looked at."""
    direction: Literal["minimize", "maximize"] | None = None
    """By default scores of tasks are maximised, a metric with `loss` in its name is minimised."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.metric is None) == (self.tasks is None):
            raise ValueError("give either metric or tasks")
        if self.tasks is not None and not self.tasks:
            raise ValueError("tasks names no task")
        if self.tasks is not None and self.direction == "minimize":
            raise ValueError("scores of tasks are better when higher: leave direction out")
        if self.metric is not None and self.direction is None and "loss" not in self.metric:
            raise ValueError(
                f"direction: say whether {self.metric} is better when higher (maximize) or lower (minimize)"
            )
        return self

    @property
    def is_minimized(self) -> bool:
        """Whether lower is better."""
        return self.metric is not None and self.direction != "maximize"

    @property
    def name(self) -> str:
        """For tables."""
        return self.metric or f"validation of {', '.join(self.tasks or ())}"


class SamplerConfig(Section):
    """How Optuna chooses the next trial."""

    name: Literal["tpe", "gp", "cmaes", "random", "grid", "qmc"] = "tpe"
    """`tpe`: multivariate, and trials at work count as bad ones, so that neighbours are not tried twice at once.
    `gp` and `cmaes` need the extra `sweep`."""
    startup_trials: Count = 10
    """Random trials before the model of `tpe`, `gp` or `cmaes` decides."""


class PrunerConfig(Section):
    """Which trials end early, by their metric so far beside that of earlier ones."""

    name: Literal["none", "median", "hyperband", "wilcoxon"] = "none"
    """`wilcoxon` compares the tasks of an objective one by one, the others epochs of the pre-training."""
    metric: Key | None = None
    """Watched over the pre-training; by default the objective's. Compared in the direction of its own."""
    direction: Literal["minimize", "maximize"] | None = None
    """Of `metric`, as in an objective."""
    startup_trials: Annotated[int, Field(ge=0)] = 5
    """Trials that end before any is pruned (`median`, `wilcoxon`: tasks)."""
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    """Epochs of each trial in which it is not pruned (`median`); the shortest budget (`hyperband`)."""
    p_threshold: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Of `wilcoxon`."""

    @property
    def is_minimized(self) -> bool:
        """Whether a lower `metric` is better."""
        return self.direction == "minimize" or (self.direction is None and "loss" in (self.metric or ""))


class EvaluationConfig(Section):
    """How encoders of trials are evaluated where an objective names tasks."""

    experiment: str = "evaluation/localized.yaml"
    """Of kind evaluate; encoder, tasks and replicates are filled in."""
    set: Mapping[Key, Any] = {}


class StartConfig(Section):
    """Trials that are there at the beginning."""

    base: bool = True
    """Trial 0 is the base experiment itself, as far as the space contains it."""
    runs: tuple[Key, ...] = ()
    """Finished runs whose values count as trials; they are not run again."""


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, Mapping) else given


class SweepConfig(Section):
    """A sweep: ordinary runs whose settings Optuna chooses."""

    kind: Literal["sweep"] = "sweep"
    name: Name
    experiment: str
    """Base experiment of kind pretrain or selftest: a file beside this one, or a shipped one."""
    set: Mapping[Key, Any] = {}
    """Keys of the base experiment that are another in every trial, such as a shorter training."""
    space: Annotated[Mapping[Key, Parameter], Field(min_length=1)]
    objective: Annotated[tuple[ObjectiveConfig, ...], BeforeValidator(_as_list), Field(min_length=1)]
    """One, or a list of several: then the best are those that no other beats in all (the Pareto front)."""
    evaluation: EvaluationConfig = EvaluationConfig()
    sampler: SamplerConfig = SamplerConfig()
    pruner: PrunerConfig = PrunerConfig()
    trials: Count = 50
    hours: Annotated[float, Field(gt=0)] | None = None
    """After this time no trial begins; those at work end as they would."""
    jobs: Count | None = None
    """Trials at once; by default as many as this machine has places for runs."""
    repeats: Count = 1
    """Runs of each trial with other seeds; their mean counts."""
    seed: Seed = 12345
    """Of the sampler. The seeds of runs are the base's and those that follow it."""
    start_with: StartConfig = StartConfig()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        pruner, first = self.pruner, self.objective[0]
        if len(self.objective) > 1 and pruner.name != "none":
            raise refuse("with several objectives no trial is better than another at every moment: use none", "pruner")
        if pruner.name == "wilcoxon" and not first.tasks:
            message = "wilcoxon compares tasks: the objective names none; use median or hyperband"
            raise refuse(message, "pruner", "name")
        if pruner.name in ("median", "hyperband") and not (pruner.metric or first.metric):
            message = "name the metric of the pre-training that is watched, such as val/loss"
            raise refuse(message, "pruner", "metric")
        self._check_objectives()
        self._check_conditions()
        if self.sampler.name == "grid":
            self._check_grid()
        return self

    def _check_objectives(self) -> None:
        known: dict[object, int] = {}
        for place, each in enumerate(self.objective):
            same = known.setdefault((each.metric, each.tasks and frozenset(each.tasks), each.is_minimized), place)
            if same != place:
                raise refuse(f"is the same as objective {same + 1}, {each.name}: leave one out", "objective", place)

    def _check_conditions(self) -> None:
        for name, parameter in self.space.items():
            for other in parameter.when:
                if not isinstance(self.space.get(other), FloatParameter | IntParameter | CategoricalParameter):
                    raise refuse(f"when: '{other}' is no parameter of the space", "space", name)
        try:
            order_space(self.space)
        except ValueError as error:
            raise refuse(str(error), "space") from error

    def _check_grid(self) -> None:
        for name, parameter in self.space.items():
            if parameter.when or count_values(parameter) is None:
                message = f"a grid needs steps or choices without `when` everywhere: see space.{name}"
                raise refuse(message, "sampler", "name")
        if (points := count_grid(self.space)) > LARGEST_GRID:
            message = f"a grid of {points} points is more than {LARGEST_GRID}: use wider steps, or another sampler"
            raise refuse(message, "sampler", "name")


def order_space(space: Mapping[str, Parameter]) -> tuple[str, ...]:
    """Names of the parameters, each behind those on which it depends; raises ValueError where that goes in a circle."""
    ordered: list[str] = []
    while len(ordered) < len(space):
        ready = [name for name in space if name not in ordered and all(other in ordered for other in space[name].when)]
        if not ready:
            circle = ", ".join(name for name in space if name not in ordered)
            raise ValueError(f"`when` leads in a circle: {circle}")
        ordered += ready
    return tuple(ordered)


def count_grid(space: Mapping[str, Parameter]) -> int:
    """Points of a grid over a space that has steps or choices everywhere."""
    return math.prod(count_values(parameter) or 0 for parameter in space.values())


def count_values(parameter: Parameter) -> int | None:
    """How many values a parameter with steps or choices has; None for another one."""
    match parameter:
        case CategoricalParameter():
            return len(parameter.choices)
        case IntParameter(log=False):
            return (parameter.high - parameter.low) // (parameter.step or 1) + 1
        case FloatParameter(step=float(step)):
            return int((parameter.high - parameter.low) / step + 1e-9) + 1
    return None


def list_values(parameter: Parameter) -> list[Any]:
    """The values of a parameter that has steps or choices; raises ValueError for another one."""
    match parameter:
        case CategoricalParameter():
            return list(parameter.choices)
        case IntParameter(log=False):
            return list(range(parameter.low, parameter.high + 1, parameter.step or 1))
        case FloatParameter(step=float(step)):
            return [parameter.low + index * step for index in range(count_values(parameter) or 0)]
    raise ValueError("has no steps")
