"""Whether the tensors of a file make a trunk, and how deep it is."""

from collections.abc import Mapping
from typing import Any

import timm
import torch
from torch import Tensor, nn

from lovt_core.errors import ConfigError
from lovt_core.models.encoder_files.layouts import LAYOUTS, EncoderTensors
from lovt_core.models.trunk import create_trunk, deepest_stride, find_strides

Tensors = Mapping[str, Tensor]


def find_depth(found: EncoderTensors, backbone: str) -> int:
    """Stride of the deepest trunk that a file holds, at most 32.

    A file ends early where it has nothing at all of the deeper stages (MedKLIP, this program's own trunks); one that
    has some of their tensors is meant to be whole.
    """
    deepest = deepest_stride(backbone)
    every = _name_trunk(backbone, deepest)
    for stride in sorted((each for each in find_strides(backbone) if 4 <= each <= deepest), reverse=True):
        names = _name_trunk(backbone, stride)
        if names <= found.tensors.keys():
            return deepest if (every - names) & found.tensors.keys() else stride
    return deepest


def fill_trunk(trunk: nn.Module, found: EncoderTensors, backbone: str, where: str, key: str) -> None:
    """Load a file's tensors into a trunk of `backbone`, of whatever depth.

    They go by the names of such a trunk or by those of timm's whole model. Raises ConfigError naming `where` and the
    first tensor that is missing, has another shape, holds values that are not finite, or belongs to a larger model, and
    `key`, the setting or option that names the backbone.
    """
    title, remedy = f"{where} ({found.layout.title})", f"{key} says which one it is"
    as_trunk = trunk.state_dict()
    with torch.device("meta"):
        whole: Any = timm.create_model(backbone, num_classes=0)
    as_whole: Tensors = whole.state_dict()
    is_trunk = len(_find_missing(found.tensors, as_trunk)) <= len(_find_missing(found.tensors, as_whole))
    wanted = as_trunk if is_trunk else as_whole
    fitting = _fit(found.tensors, wanted, title, backbone, remedy)
    if surplus := _find_surplus(found.tensors, wanted, as_whole):
        raise ConfigError(f"{title} is not of a {backbone}: that has no layer with a tensor '{surplus}'; {remedy}")
    if not is_trunk:
        info: Any = trunk.feature_info
        overlay = {"state_dict": fitting, "num_classes": 0}
        fitting = create_trunk(
            backbone, max(info.reduction()), pretrained=True, pretrained_cfg_overlay=overlay
        ).state_dict()
    trunk.load_state_dict(fitting)


def _name_trunk(backbone: str, stride: int) -> set[str]:
    with torch.device("meta"):
        return {name for name in create_trunk(backbone, stride).state_dict() if not _is_counter(name)}


def _find_missing(tensors: Tensors, wanted: Tensors) -> list[str]:
    """Counters of batch norms may be missing."""
    return [name for name in wanted if name not in tensors and not _is_counter(name)]


def _find_surplus(tensors: Tensors, wanted: Tensors, whole: Tensors) -> str | None:
    """A weight inside a stage that the model does not have: a ResNet-50's names are all in a ResNet-101, too."""
    stages = {_stage(name) for name in wanted} - {None}
    for name in tensors:
        if name.endswith(".weight") and name not in wanted and name not in whole and _stage(name) in stages:
            return name
    return None


def _stage(name: str) -> str | None:
    """What stands before the first number in a name: `layer3` of `layer3.5.conv1.weight`."""
    parts = name.split(".")
    number = next((index for index, part in enumerate(parts) if part.isdigit()), None)
    return None if number is None else ".".join(parts[:number])


def _fit(tensors: Tensors, wanted: Tensors, title: str, backbone: str, remedy: str) -> dict[str, Tensor]:
    missing = _find_missing(tensors, wanted)
    if missing:
        more = f" and {len(missing) - 1} more of {len(wanted)}" if len(missing) > 1 else ""
        hint = "" if len(missing) < len(wanted) // 2 else _layout_hint(tensors)
        raise ConfigError(f"{title} is not of a {backbone}: tensor '{missing[0]}'{more} is missing{hint}; {remedy}")
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


def _layout_hint(tensors: Tensors) -> str:
    """Most tensors are missing: the file may be of a layout that nobody knows."""
    known = ", ".join(dict.fromkeys(layout.name for layout in LAYOUTS))
    return f" (it has '{next(iter(tensors))}'; known layouts: {known})" if tensors else ""


def _channel_hint(tensor: Tensor, like: Tensor) -> str:
    is_first = like.ndim == tensor.ndim == 4 and like.shape[1] == 3 and tensor.shape[0] == like.shape[0]
    return f": it reads images of {tensor.shape[1]} channels, not 3" if is_first else ""


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "()"
