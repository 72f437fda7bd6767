"""From a file with weights, or a name of timm, to an image encoder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.errors import ConfigError
from lovt_core.models.encoder_files.layouts import EncoderTensors, find_encoder_tensors
from lovt_core.models.encoder_files.tensors import read_tensors
from lovt_core.models.image_encoder import ImageEncoder, build_image_encoder
from lovt_core.models.trunk import create_trunk, deepest_stride, find_strides

Tensors = Mapping[str, Tensor]


def open_encoder_file(path: Path, backbone: str) -> ImageEncoder:
    """The encoder of a file, as deep as the file and the backbone go (stride 32 at most).

    Tensors of other parts are left alone. Raises ConfigError in one sentence for a file that is damaged, holds another
    network, or has weights that are not finite.
    """
    return build_from_tensors(find_encoder_tensors(read_tensors(path)), backbone, str(path))


def open_timm_encoder(name: str) -> ImageEncoder:
    """A pre-trained model of timm, such as `convnext_tiny.fb_in22k`.

    Raises ConfigError for an unknown one and MissingWeightsError where its weights are not on this machine.
    """
    backbone = name.partition(".")[0]
    return build_image_encoder(_configure(backbone, deepest_stride(backbone), weights=f"timm:{name}"))


def build_from_tensors(found: EncoderTensors, backbone: str, where: str) -> ImageEncoder:
    """An encoder with these tensors; raises ConfigError naming `where` and the first tensor that does not fit.

    They go by the names of a trunk of any depth (as this program writes them; a ResNet without its last stage is one
    too), or by those of timm's whole model.
    """
    title = f"{where} ({found.layout.title})"
    stride = _find_trunk(found.tensors, backbone)
    if stride is not None:
        encoder = build_image_encoder(_configure(backbone, stride), pretrained=False)
        encoder.trunk.load_state_dict(_fit(found.tensors, encoder.trunk.state_dict(), title, backbone))
        return encoder
    with torch.device("meta"):
        whole: Any = timm.create_model(backbone, num_classes=0)
    fitting = _fit(found.tensors, whole.state_dict(), title, backbone)
    stride = deepest_stride(backbone)
    overlay = {"state_dict": dict(fitting), "num_classes": 0}
    trunk = create_trunk(backbone, stride, pretrained=True, pretrained_cfg_overlay=overlay)
    return ImageEncoder(trunk, stride).to(memory_format=torch.channels_last)


def _configure(backbone: str, stride: int, weights: str = "random") -> ImageEncoderConfig:
    return ImageEncoderConfig.model_validate({"backbone": backbone, "weights": weights, "stride": stride})


def _find_trunk(tensors: Tensors, backbone: str) -> int | None:
    """Stride of the deepest trunk whose tensors are all there; None where there is none."""
    deepest = deepest_stride(backbone)
    for stride in sorted((each for each in find_strides(backbone) if 4 <= each <= deepest), reverse=True):
        with torch.device("meta"):
            wanted = create_trunk(backbone, stride).state_dict()
        if all(name in tensors or _is_counter(name) for name in wanted):
            return stride
    return None


def _fit(tensors: Tensors, wanted: Tensors, title: str, backbone: str) -> dict[str, Tensor]:
    """The wanted ones among the tensors; counters of batch norms may be missing."""
    missing = [name for name in wanted if name not in tensors and not _is_counter(name)]
    if missing:
        more = f" and {len(missing) - 1} more of {len(wanted)}" if len(missing) > 1 else ""
        raise ConfigError(
            f"{title} is not of a {backbone}: tensor '{missing[0]}'{more} is missing; --backbone says which one it is"
        )
    fitting = {}
    for name, like in wanted.items():
        tensor = tensors.get(name)
        if tensor is None:
            fitting[name] = torch.zeros(like.shape, dtype=like.dtype)
            continue
        if tensor.shape != like.shape:
            raise ConfigError(
                f"{title} is not of a {backbone}: tensor '{name}' has the shape {_shape(tensor)} instead of "
                f"{_shape(like)}{_channel_hint(tensor, like)}"
            )
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ConfigError(f"{title} is broken: tensor '{name}' holds values that are not finite")
        fitting[name] = tensor.to(like.dtype)
    return fitting


def _is_counter(name: str) -> bool:
    return name.endswith("num_batches_tracked")


def _channel_hint(tensor: Tensor, like: Tensor) -> str:
    is_first = like.ndim == tensor.ndim == 4 and like.shape[1] == 3 and tensor.shape[0] == like.shape[0]
    return f": it reads images of {tensor.shape[1]} channels, not 3" if is_first else ""


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "()"
