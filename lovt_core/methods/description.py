"""What a checkpoint of any method says about itself."""

from typing import Any

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.data.training_data import TrainingData
from lovt_core.models.image_encoder import describe_image_encoder


def describe_training(experiment: PretrainExperiment, data: TrainingData) -> dict[str, Any]:
    """JSON values: the method's settings, how images are prepared for it, and the data it was trained on."""
    method, statistics = experiment.method, data.statistics
    return {
        "method": method.model_dump(mode="json", by_alias=True),
        "image_encoder": describe_image_encoder(method.image_encoder),
        "images": {
            "size": experiment.data.image_size,
            "normalisation": experiment.data.normalisation,
            "mean": None if statistics is None else statistics[0],
            "deviation": None if statistics is None else statistics[1],
        },
        "data": data.identity,
    }
