"""Pre-train an image encoder by any of the methods (PROTOCOL B): a generator of values that knows nothing of runs."""

import itertools
import resource
import sys
from collections.abc import Generator, Iterator
from typing import Any

import torch

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.training import TrainingConfig
from lovt_core.data.training_data import TrainingData, open_training_data
from lovt_core.errors import ConfigError, RecordError
from lovt_core.methods.building import Training, build_training
from lovt_core.training.checkpoint import MODEL_FILE, Checkpoint, checkpoint_names, load_checkpoint
from lovt_core.training.loop import train
from lovt_core.training.optimiser_step import OptimiserStep
from lovt_core.training.sharing import build_share
from lovt_core.values import Alarm, Note, Progress, Result, Value, Workplace

CHECKED_STEPS = 2


def pretrain(experiment: PretrainExperiment, place: Workplace) -> Iterator[Value]:
    """Train as the experiment says, from `place.last_checkpoint` on if there is one; of several processes each does so.

    Raises DataError for data that is not prepared or too small, ConfigError for settings that do not fit together,
    MissingWeightsError for weights that are not on this machine, and what `train` raises.
    """
    yield Progress(0, None, "step", note="opening data and building the model")
    resumed = _find_resumed(place)
    if resumed is not None:
        _check_method(experiment, resumed)
    data = _open_same_data(experiment, place, resumed)
    yield from map(Note, data.notes)
    checkpoint = None if resumed is None else resumed.folder
    share = build_share(experiment.training, place.rank, place.num_ranks)
    training = build_training(experiment, data, place.device, checkpoint, share)
    yield from map(Note, training.notes)
    yield from train(training, experiment.training, place)


def check(experiment: PretrainExperiment, place: Workplace) -> Iterator[Value]:
    """Two real steps; yields one Result of type `check`: what a training will take. Raises what `pretrain` does."""
    yield Progress(0, CHECKED_STEPS, "step", note="opening data and building the model")
    data = open_training_data(experiment, place.prepared_root)
    yield from map(Note, data.notes)
    training = build_training(experiment, data, place.device)
    yield from map(Note, training.notes)
    training.model.train()
    step = OptimiserStep(training, experiment.training)
    seconds = yield from _run_steps(experiment.training, training, step)
    yield Result(_report(experiment, training, place.device, seconds))


def _run_steps(config: TrainingConfig, training: Training, step: OptimiserStep) -> Generator[Value, None, float]:
    """Two steps, in smaller micro-batches where memory does not suffice; returns the seconds of the second one."""
    count = min(config.accumulate, training.batches_per_epoch)
    while True:
        try:
            seconds = 0.0
            batches = itertools.chain(training.training_batches(0, 0), training.training_batches(1, 0))
            step.clock.restart()
            for number in range(1, CHECKED_STEPS + 1):
                outcome = step.run(batches, count, number, config.optimiser.learning_rate)
                seconds = step.clock.lap()["time/step_seconds"]
                yield Progress(number, CHECKED_STEPS, "step", note=f"loss {outcome.losses['loss']:.4g}")
            return seconds
        except torch.OutOfMemoryError as error:
            note = step.micro_batches.halve(1, error)
        step.micro_batches.release_memory()
        yield Alarm(note)


def _report(experiment: PretrainExperiment, training: Training, device: str, seconds: float) -> dict[str, Any]:
    """JSON values; the second step counts, because the first one also warms up."""
    parameters = list(training.model.parameters())
    accumulate = experiment.training.accumulate
    steps_per_epoch = -(-training.batches_per_epoch // accumulate)
    total_steps = steps_per_epoch * experiment.training.max_epochs
    if experiment.training.max_steps is not None:
        total_steps = min(total_steps, experiment.training.max_steps)
    is_cpu = device == "cpu"
    return {
        "type": "check",
        "device": device if is_cpu else f"{device} ({torch.cuda.get_device_name(device)})",
        "seconds_per_step": seconds,
        "steps_per_epoch": steps_per_epoch,
        "total_steps": total_steps,
        "training_hours_at_most": seconds * total_steps / 3600,
        "peak_memory_gib": (_peak_bytes_of_process() if is_cpu else torch.cuda.max_memory_allocated(device)) / 2**30,
        "trainable_parameters": sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
        "frozen_parameters": sum(parameter.numel() for parameter in parameters if not parameter.requires_grad),
    }


def _peak_bytes_of_process() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _open_same_data(experiment: PretrainExperiment, place: Workplace, resumed: Checkpoint | None) -> TrainingData:
    """The data of the experiment; for a resumed training the version and split that it began with."""
    if resumed is None:
        return open_training_data(experiment, place.prepared_root)
    began_with = resumed.describe["data"]
    data = experiment.data.model_copy(update={"split": began_with["split"]})
    same = experiment.model_copy(update={"data": data})
    return open_training_data(same, place.prepared_root, str(began_with["fingerprint"]))


def _check_method(experiment: PretrainExperiment, resumed: Checkpoint) -> None:
    """Raise ConfigError where a checkpoint is of another method than the experiment's."""
    own, saved = experiment.method.name, resumed.describe["method"].get("name", "lovt")
    if own != saved:
        raise ConfigError(
            f"checkpoint {resumed.folder} is of method '{saved}', the experiment's is '{own}': set method.name to "
            f"'{saved}', or start a new run with image_encoder.weights {resumed.folder / MODEL_FILE}"
        )


def _find_resumed(place: Workplace) -> Checkpoint | None:
    """The checkpoint that the training will go on from: `last`, or the newest whole one; None for a new training.

    The loop reports what is damaged, or that nothing whole is left.
    """
    if place.last_checkpoint is None:
        return None
    last = place.last_checkpoint
    for name in (last, *(other for other in checkpoint_names(place.checkpoints) if other != last)):
        try:
            return load_checkpoint(place.checkpoints / name)
        except RecordError:
            continue
    return None
