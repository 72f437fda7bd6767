"""From a file with weights, or a name of timm, to an image encoder."""

from pathlib import Path

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.models.encoder_files.fitting import fill_trunk, find_depth
from lovt_core.models.encoder_files.layouts import find_encoder_tensors
from lovt_core.models.encoder_files.tensors import read_tensors
from lovt_core.models.image_encoder import ImageEncoder, build_image_encoder
from lovt_core.models.trunk import deepest_stride


def open_encoder_file(path: Path, backbone: str) -> ImageEncoder:
    """The encoder of a file, as deep as the file and the backbone go (stride 32 at most).

    Tensors of other parts are left alone. Raises ConfigError in one sentence for a file that is damaged, holds another
    network, or has weights that are not finite.
    """
    found = find_encoder_tensors(read_tensors(path))
    encoder = build_image_encoder(_configure(backbone, find_depth(found, backbone)), pretrained=False)
    fill_trunk(encoder.trunk, found, backbone, str(path), "--backbone (encoder.backbone)")
    return encoder


def open_timm_encoder(name: str) -> ImageEncoder:
    """A pre-trained model of timm, such as `convnext_tiny.fb_in22k`.

    Raises ConfigError for an unknown one and MissingWeightsError where its weights are not on this machine.
    """
    backbone = name.partition(".")[0]
    return build_image_encoder(_configure(backbone, deepest_stride(backbone), weights=f"timm:{name}"))


def _configure(backbone: str, stride: int, weights: str = "random") -> ImageEncoderConfig:
    return ImageEncoderConfig.model_validate({"backbone": backbone, "weights": weights, "stride": stride})
