"""A sweep's study: Optuna's side of it. Opened by coordinators alone."""

import warnings
from pathlib import Path

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, WilcoxonPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from sqlalchemy.exc import SQLAlchemyError

from lovt_core.config.sweep import SweepConfig
from lovt_core.config.sweep_file import Sweep
from lovt_core.errors import InputError, LovtError
from lovt_core.sweeps.folder import SweepFolder
from lovt_core.sweeps.storage import close_storage, first_line, open_storage


def open_study(folder: SweepFolder, sweep: Sweep) -> optuna.Study:
    """The sweep's study, made where there is none.

    Raises InputError when the storage holds another sweep of that name.
    """
    origin = folder.origin()
    storage = open_storage(origin["storage"])
    directions = [
        StudyDirection.MINIMIZE if each.is_minimized else StudyDirection.MAXIMIZE for each in sweep.config.objective
    ]
    study = optuna.create_study(
        storage=storage,
        study_name=origin["study"],
        directions=directions,
        sampler=RandomSampler(),
        pruner=make_pruner(sweep),
        load_if_exists=True,
    )
    key = describe_space(sweep.config)
    known = study.user_attrs.get("lovt")
    if known is None and not study.get_trials(deepcopy=False):
        study.set_user_attr("lovt", key)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study.set_metric_names([each.name for each in sweep.config.objective])
    elif known != key or study.directions != directions:
        raise InputError(
            f"the storage {origin['storage']} holds a study '{origin['study']}' with another space or objective: "
            "give the sweep another name"
        )
    return study


def describe_space(config: SweepConfig) -> str:
    """What all coordinators of one study must agree on, as text."""
    return config.model_dump_json(include={"space", "objective"})


def make_sampler(config: SweepConfig, num_trials: int) -> BaseSampler:
    """The sampler of a sweep that has `num_trials` already; raises InputError where its package is missing.

    A coordinator that starts again must not repeat the random numbers of the one before: the seed goes on with trials.
    """
    seed = config.seed + num_trials
    start = config.sampler.startup_trials
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            match config.sampler.name:
                case "tpe":
                    conditional = any(parameter.when for parameter in config.space.values())
                    return TPESampler(
                        n_startup_trials=start, multivariate=True, group=conditional, constant_liar=True, seed=seed
                    )
                case "gp":
                    return optuna.samplers.GPSampler(n_startup_trials=start, seed=seed)
                case "cmaes":
                    return optuna.samplers.CmaEsSampler(
                        n_startup_trials=start, seed=seed, warn_independent_sampling=False
                    )
                case "qmc":
                    return optuna.samplers.QMCSampler(seed=config.seed, scramble=True, warn_independent_sampling=False)
                case "grid" | "random":
                    return RandomSampler(seed=seed)
        except ImportError as error:
            raise InputError(
                f"sampler.name: {config.sampler.name} needs a package: pip install 'lovt-tui[sweep]'"
            ) from error


def make_pruner(sweep: Sweep) -> BasePruner:
    """The pruner of a sweep."""
    pruner = sweep.config.pruner
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        match pruner.name:
            case "none":
                return NopPruner()
            case "median":
                return MedianPruner(n_startup_trials=pruner.startup_trials, n_warmup_steps=pruner.warmup_epochs + 1)
            case "hyperband":
                longest = sweep.base.training.max_epochs if sweep.base.kind != "evaluate" else "auto"
                return HyperbandPruner(min_resource=max(1, pruner.warmup_epochs), max_resource=longest)
            case "wilcoxon":
                return WilcoxonPruner(p_threshold=pruner.p_threshold, n_startup_steps=pruner.startup_trials)


def copy_study(folder: SweepFolder, target: Path) -> None:
    """Copy a sweep's study into a new SQLite file, for programs that read nothing else.

    Raises InputError when the file is there already.
    """
    if target.exists():
        raise InputError(f"{target} is there already: name a new file")
    origin = folder.origin()
    source = open_storage(origin["storage"])
    copied: BaseStorage | None = None
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        copied = open_storage(f"sqlite:///{part}")
        optuna.copy_study(from_study_name=origin["study"], from_storage=source, to_storage=copied)
        close_storage(copied)  # which puts all that is in the log into the file
        part.rename(target)
    except (SQLAlchemyError, OSError, KeyError) as error:
        raise LovtError(f"cannot copy the study {origin['study']}: {first_line(error)}") from error
    finally:
        for storage in (source, copied):
            if storage is not None:
                close_storage(storage)
        for left in target.parent.glob(f"{part.name}*"):
            left.unlink(missing_ok=True)
