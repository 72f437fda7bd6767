"""Under which names published files keep their image encoders (docs/encoders.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from torch import Tensor

_CHILDREN: Final = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")
"""Children of a torchvision ResNet in their order: an `nn.Sequential` of them numbers its tensors so."""


@dataclass(frozen=True)
class Layout:
    """Where an encoder's tensors are in a file."""

    name: str
    title: str
    prefix: str
    """Before the names of the encoder's tensors; whatever begins otherwise is not of the encoder."""
    is_numbered: bool = False
    """Whether children of a ResNet go by their number."""


LAYOUTS: Final[tuple[Layout, ...]] = (
    Layout("lovt-tui", "checkpoint of this program", "image_encoder.trunk."),
    Layout("lovt", "checkpoint of the LoVT authors", "model_a.encoder.feature_extractor.backbone_layers."),
    Layout("gloria", "GLoRIA", "gloria.img_encoder.model."),
    Layout("gloria", "GLoRIA", "img_encoder.model."),
    Layout("mgca", "MGCA", "img_encoder_q.model."),
    Layout("medklip", "MedKLIP", "module.res_features.", is_numbered=True),
    Layout("medklip", "MedKLIP", "res_features.", is_numbered=True),
    Layout("biovil", "BioViL", "encoder.encoder."),
    Layout("trunk", "trunk of this program", "trunk."),
    Layout("timm", "timm or torchvision, trained on several GPUs", "module."),
    Layout("timm", "timm or torchvision", ""),
)
"""The first whose prefix occurs is taken."""


@dataclass(frozen=True)
class EncoderTensors:
    """Tensors of an encoder under torchvision's or timm's names."""

    layout: Layout
    tensors: Mapping[str, Tensor]


def find_encoder_tensors(tensors: Mapping[str, Tensor]) -> EncoderTensors:
    """The tensors of the image encoder among those of a file."""
    layout = next(layout for layout in LAYOUTS if any(name.startswith(layout.prefix) for name in tensors))
    own = {
        name.removeprefix(layout.prefix): tensor for name, tensor in tensors.items() if name.startswith(layout.prefix)
    }
    if layout.is_numbered:
        own = {_name_child(name): tensor for name, tensor in own.items()}
    return EncoderTensors(layout, own)


def _name_child(name: str) -> str:
    number, _, rest = name.partition(".")
    if number.isdigit() and int(number) < len(_CHILDREN):
        return f"{_CHILDREN[int(number)]}.{rest}"
    return name
