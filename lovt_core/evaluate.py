"""Evaluate one encoder on localized tasks (PROTOCOL A): a generator of values that knows nothing of runs."""

from collections.abc import Iterator

from lovt_core.config.experiment import EvaluateExperiment
from lovt_core.evaluation.encoders import Subject, is_random, load_encoder
from lovt_core.evaluation.protocol import build_protocol
from lovt_core.evaluation.task_data import open_task_data
from lovt_core.evaluation.task_evaluation import TaskEvaluation
from lovt_core.tasks import find_task
from lovt_core.values import Ended, Progress, Value, Workplace


def evaluate(experiment: EvaluateExperiment, place: Workplace) -> Iterator[Value]:
    """Judge the experiment's encoder on each of its tasks.

    Yields Progress, and a Result for each finished piece: `search` (learning rates with their validation metric, the
    chosen one), `replicate` (test score of one head) and `cell` (all replicates with their identity), as JSON values.
    Asked to stop, it ends at the next epoch or batch of images; finished pieces in `place.completed` are not repeated.

    Raises InputError for an unknown task or encoder, DataError for data that is not prepared or cannot be split,
    MissingWeightsError for weights that are not on this machine.
    """
    for value in _evaluate_tasks(experiment, place):
        yield value
        if isinstance(value, Progress) and (reason := place.stop_requested()) is not None:
            yield Ended(reason)
            return


def _evaluate_tasks(experiment: EvaluateExperiment, place: Workplace) -> Iterator[Value]:
    protocols = [build_protocol(find_task(task), experiment.settings) for task in dict.fromkeys(experiment.tasks)]
    opened = [open_task_data(protocol, experiment.split, place.prepared_root) for protocol in protocols]
    source = experiment.encoder
    given = None if is_random(source) else load_encoder(source, experiment.settings.stride, place)
    subject = Subject(source, given, experiment.seed)
    for protocol, data in zip(protocols, opened, strict=True):
        yield from TaskEvaluation(subject, protocol, data, place).run()
