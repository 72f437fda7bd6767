"""The data of a pre-training, as its method reads it: pairs, or images alone, with or without labels."""

from pathlib import Path
from typing import assert_never

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.methods import ByolConfig, LovtConfig, PixelproConfig, SimclrConfig, SupervisedConfig
from lovt_core.data.pairs import Pairs, open_pairs
from lovt_core.data.single_images import SingleImages, open_single_images, require_labels
from lovt_core.errors import ConfigError

TrainingData = Pairs | SingleImages


def open_training_data(
    experiment: PretrainExperiment, prepared_root: Path, fingerprint: str | None = None
) -> TrainingData:
    """Open, split and filter; `fingerprint` asks for one prepared version instead of the current one.

    Raises DataError for data that is not prepared, is too little, or lacks what the method reads, and ConfigError where
    the training samples do not fill one batch.
    """
    data = _open(experiment, prepared_root, fingerprint)
    check_batch_size(data, experiment.training.batch_size)
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


def check_batch_size(data: TrainingData, batch_size: int) -> None:
    """Raise ConfigError where the training samples do not fill one batch."""
    if len(data.train) < batch_size:
        samples = "pairs" if isinstance(data, Pairs) else "images"
        raise ConfigError(
            f"training.batch_size is {batch_size}, more than the training {samples} that are left "
            f"({len(data.train)}): lower it"
        )
