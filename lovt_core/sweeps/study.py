"""A sweep's study: Optuna's side of it. Opened by coordinators alone."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, WilcoxonPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from sqlalchemy.exc import SQLAlchemyError

from lovt_core.config.sweep import SweepConfig
from lovt_core.config.sweep_file import Sweep
from lovt_core.errors import InputError, LovtError
from lovt_core.sweeps.folder import SweepFolder
from lovt_core.sweeps.lost import check_study, count_known, tell_loss
from lovt_core.sweeps.recorder import NOTE
from lovt_core.sweeps.storage import close_storage, first_line, open_storage
from lovt_core.sweeps.storage_urls import hide_password
from lovt_core.sweeps.trials import Trial


def open_study(folder: SweepFolder, sweep: Sweep) -> optuna.Study:
    """The sweep's study, made where neither it nor any trial is there.

    Raises InputError when the study is lost, or the storage holds another sweep of that name.
    """
    origin = folder.origin()
    storage = open_storage(origin["storage"])
    known = folder.trials()
    stored = _list_stored(storage, origin["study"]) if known else []
    if is_lost(known, stored):
        raise InputError(tell_loss(folder, known, len(stored)))
    return _create_study(folder, sweep, storage)


def _list_stored(storage: BaseStorage, name: str) -> list[FrozenTrial]:
    try:
        return storage.get_all_trials(storage.get_study_id_from_name(name), deepcopy=False)
    except KeyError:
        return []


def is_lost(known: Sequence[Trial], stored: Sequence[FrozenTrial]) -> bool:
    """Whether the trials of a study are fewer than those written down, or have other runs."""
    return len(stored) < count_known(known) or any(_is_other(each, stored[each.number]) for each in known)


def _is_other(known: Trial, stored: FrozenTrial) -> bool:
    runs = [run["id"] for run in stored.user_attrs.get(NOTE, {}).get("runs", [])]
    return bool(known.runs) and bool(runs) and [run.id for run in known.runs] != runs


def _create_study(folder: SweepFolder, sweep: Sweep, storage: BaseStorage) -> optuna.Study:
    origin = folder.origin()
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
            f"the storage {hide_password(origin['storage'])} holds a study '{origin['study']}' with another space or "
            "objective: give the sweep another name"
        )
    return study


def replace_study(folder: SweepFolder, sweep: Sweep, trials: Sequence[FrozenTrial], owner: str) -> optuna.Study:
    """A new study of these trials in the place of one that is gone, empty, smaller, or begun anew.

    Raises InputError where the study that is there is not lost, of another sweep, or holds trials of other machines.
    """
    study = _create_study(folder, sweep, open_storage(folder.origin()["storage"]))
    there = study.get_trials(deepcopy=False)
    if len(there) >= len(trials) and not is_lost(folder.trials(), there):
        raise InputError(f"the study of {folder.name} has {len(there)} trials: it is not lost, nothing is rebuilt")
    owners = {each.user_attrs.get(NOTE, {}).get("owner", owner) for each in there}
    if owners - {owner}:
        raise InputError(
            f"the study of {folder.name} has {len(there)} trials, some of them of other machines, which have begun it "
            "anew: nothing is rebuilt; give the sweep another name"
        )
    if there:
        optuna.delete_study(study_name=study.study_name, storage=study._storage)
        study = _create_study(folder, sweep, study._storage)
    study.add_trials(trials)
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

    Raises InputError when the file is there already, or the study is lost.
    """
    if target.exists():
        raise InputError(f"{target} is there already: name a new file")
    check_study(folder)
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
    except KeyError as error:
        raise InputError(f"the study of {folder.name} has not begun yet: there is nothing to copy") from error
    except (SQLAlchemyError, OSError) as error:
        raise LovtError(f"cannot copy the study {origin['study']}: {first_line(error)}") from error
    finally:
        for storage in (source, copied):
            if storage is not None:
                close_storage(storage)
        for left in target.parent.glob(f"{part.name}*"):
            left.unlink(missing_ok=True)
