"""The data of a pre-training, as its method reads it: pairs, or images alone, with or without labels."""

from pathlib import Path
from typing import assert_never

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.methods import ByolConfig, LovtConfig, PixelproConfig, SimclrConfig, SupervisedConfig
from lovt_core.data.pairs import Pairs, open_pairs
from lovt_core.data.single_images import SingleImages, open_single_images, require_judged_labels, require_labels
from lovt_core.errors import ConfigError, DataError

TrainingData = Pairs | SingleImages


def open_training_data(
    experiment: PretrainExperiment, prepared_root: Path, fingerprint: str | None = None
) -> TrainingData:
    """Open, split and filter; a training that goes on asks for the prepared version with its `fingerprint`.

    Raises DataError for data that is not prepared, is too little, or lacks what the method reads or, of a new training,
    what it could be judged by, and ConfigError where the training samples do not fill one batch.
    """
    data = _open(experiment, prepared_root, fingerprint)
    check_batch_size(data, experiment.training.batch_size)
    if fingerprint is None:
        _check_validation(experiment, data)
    return data


def _open(experiment: PretrainExperiment, prepared_root: Path, fingerprint: str | None) -> TrainingData:
    match experiment.method:
        case LovtConfig():
            return open_pairs(experiment.data, prepared_root, fingerprint)
        case SimclrConfig() | ByolConfig() | PixelproConfig():
            return open_single_images(experiment.data, prepared_root, fingerprint)
        case SupervisedConfig(labels=labels):
            return require_labels(open_single_images(experiment.data, prepared_root, fingerprint), labels)
        case _:
            assert_never(experiment.method)


def _check_validation(experiment: PretrainExperiment, data: TrainingData) -> None:
    """Raise DataError where there is nothing to judge a new training by: one sample that is to be told from others, or
    labels that all validation images have, or none."""
    method = experiment.method
    if isinstance(method, SupervisedConfig) and isinstance(data, SingleImages):
        require_judged_labels(data, method)
        return
    if len(data.validation) > 1:
        return
    if isinstance(method, LovtConfig) and method.objective.global_ is None:
        return
    sample = "pair" if isinstance(data, Pairs) else "image"
    raise DataError(
        f"{data.prepared.name} leaves one validation {sample}, which has no others to be compared with: "
        "choose another data.split or a larger data.validation_fraction"
    )


def check_batch_size(data: TrainingData, batch_size: int) -> None:
    """Raise ConfigError where the training samples do not fill one batch."""
    if len(data.train) < batch_size:
        samples = "pairs" if isinstance(data, Pairs) else "images"
        raise ConfigError(
            f"training.batch_size is {batch_size}, more than the training {samples} that are left "
            f"({len(data.train)}): lower it"
        )
