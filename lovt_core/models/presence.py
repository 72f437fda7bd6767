"""Whether the encoders of a method are on this machine, as far as that can be told without loading anything."""

from lovt_core.config.encoders import BackboneConfig, ReportEncoderConfig
from lovt_core.config.methods import LovtConfig, MethodConfig
from lovt_core.config.misfits import find_model_misfits
from lovt_core.config.problems import name_key
from lovt_core.errors import ConfigError
from lovt_core.models.language_sources import find_language_source, read_language_sizes
from lovt_core.models.weights import require_image_weights


def check_encoders(method: MethodConfig) -> None:
    """Raise MissingWeightsError for weights that are missing, ConfigError for a language model of other sizes.

    Whether a backbone exists, and where its `imagenet` and `timm:` weights lie, timm alone knows.
    """
    _check_image_weights(method.image_encoder)
    if isinstance(method, LovtConfig) and method.report_encoder.model != "tiny":
        _check_language_model(method.report_encoder)


def _check_image_weights(config: BackboneConfig) -> None:
    if config.weights not in ("random", "imagenet") and not config.weights.startswith("timm:"):
        require_image_weights(config.weights)


def _check_language_model(config: ReportEncoderConfig) -> None:
    sizes = read_language_sizes(find_language_source(config.model))
    if sizes is not None:
        problems = find_model_misfits(config, sizes.layers, sizes.width)
        if lines := [f"{name_key(place)}: {message}" for place, message in problems]:
            raise ConfigError("\n".join(lines))
