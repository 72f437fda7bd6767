"""Evaluate one encoder on localized tasks (PROTOCOL A): a generator of values that knows nothing of runs."""

from collections.abc import Iterator, Sequence

import torch

from lovt_core.config.evaluation import EvaluateExperiment
from lovt_core.evaluation.encoders import Subject, find_channels, is_random, load_encoder
from lovt_core.evaluation.features.stores import FeatureStores
from lovt_core.evaluation.itinerary import Itinerary
from lovt_core.evaluation.protocol import build_protocols
from lovt_core.evaluation.task_data import TaskData, open_task_data
from lovt_core.evaluation.task_evaluation import TaskEvaluation
from lovt_core.evaluation.task_setup import EvaluationResources, TaskSetup, check_channels
from lovt_core.tasks import expand_tasks
from lovt_core.training.precision import Precision, PrecisionName
from lovt_core.values import Alarm, Ended, Note, Progress, Value, Workplace


def evaluate(experiment: EvaluateExperiment, place: Workplace) -> Iterator[Value]:
    """Judge the experiment's encoder on each of its tasks.

    Yields Progress, and a Result for each finished piece: `rate` (a training of the learning-rate search), `search`
    (learning rates with their validation metric, the chosen one), `replicate` (test score of one head) and `cell` (all
    replicates with their identity), as JSON values. Asked to stop, it ends at the next batch; finished pieces in
    `place.completed` are not repeated.

    Raises InputError for an unknown task or encoder, DataError for data that is not prepared or cannot be split,
    MissingWeightsError for weights that are not on this machine.
    """
    for value in _evaluate_tasks(experiment, place):
        yield value
        if isinstance(value, Progress) and (reason := place.stop_requested()) is not None:
            yield Ended(reason)
            return


def _evaluate_tasks(experiment: EvaluateExperiment, place: Workplace) -> Iterator[Value]:
    protocols = build_protocols(expand_tasks(experiment.tasks), experiment.settings)
    opened = [open_task_data(protocol, experiment.split, place.prepared_root) for protocol in protocols]
    source = experiment.encoder
    subject = Subject(source, None if is_random(source) else load_encoder(source, place), experiment.seed)
    check_channels(find_channels(subject), protocols)
    precision = choose_precision(experiment, place.device)
    stores = FeatureStores(
        experiment.cache, place.features, place.device, Precision(precision, torch.device(place.device))
    )
    last = ""
    itinerary = Itinerary(protocols)
    announced: set[str] = set()
    for index, (protocol, data) in enumerate(zip(protocols, opened, strict=True)):
        if data.prepared.fingerprint != last:
            stores.forget()
        last = data.prepared.fingerprint
        resources = EvaluationResources(place.device, precision, stores, _unite(data, opened))
        evaluation = TaskEvaluation(TaskSetup(subject, protocol, data, resources), place)
        for value in itinerary.follow(index, evaluation.run()):
            if isinstance(value, Alarm | Note) and value.message in announced:
                continue  # tasks on the same data have the same to say
            if isinstance(value, Alarm | Note):
                announced.add(value.message)
            yield value


def _unite(data: TaskData, opened: Sequence[TaskData]) -> tuple[int, ...]:
    """Samples that any of the tasks on this data set reads."""
    same = [other.samples for other in opened if other.prepared.fingerprint == data.prepared.fingerprint]
    return tuple(sorted({sample for samples in same for sample in samples}))


def choose_precision(experiment: EvaluateExperiment, device: str) -> PrecisionName:
    """Number format of forward passes: as asked, else fp16 on a GPU as published, fp32 on a CPU."""
    if experiment.precision != "auto":
        return experiment.precision
    return "fp32" if device == "cpu" else "fp16"
