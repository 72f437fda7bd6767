"""timm backbones as feature extractors."""

import difflib
from functools import lru_cache
from typing import Any

import timm
import torch
from torch import nn

from lovt_core.errors import ConfigError


def create_trunk(backbone: str, stride: int, **options: Any) -> nn.Module:
    """A timm `features_only` model with all its feature maps up to `stride`; `options` go to timm.

    Vision transformers are made to take any image size. Raises ConfigError for an unknown backbone, one without feature
    maps and one without that stride.
    """
    maps = _find_maps(backbone)
    if stride not in maps.values():
        raise ConfigError(f"{backbone} has no features of stride {stride}: it has {_listed(find_strides(backbone))}")
    indices = tuple(index for index, reduction in maps.items() if reduction <= stride)
    return _create(backbone, out_indices=indices, **options)


def find_strides(backbone: str) -> tuple[int, ...]:
    """Strides of all feature maps of a backbone, finest first; nothing is computed or loaded for it.

    Raises ConfigError for an unknown backbone and one without feature maps.
    """
    return tuple(sorted(set(_find_maps(backbone).values())))


def deepest_stride(backbone: str, limit: int = 32) -> int:
    """The coarsest stride of a backbone's feature maps, up to `limit`, that is a power of two from 4 on.

    An encoder of this stride also has all finer features. Raises ConfigError as `find_strides` does, and where there is
    no such stride.
    """
    strides = find_strides(backbone)
    usable = [stride for stride in strides if 4 <= stride <= limit and stride & (stride - 1) == 0]
    if not usable:
        raise ConfigError(
            f"{backbone} has features of stride {_listed(strides)}: an encoder needs a power of two from 4 to {limit}, "
            "such as that of a backbone of patch size 16"
        )
    return usable[-1]


@lru_cache(maxsize=64)
def _find_maps(backbone: str) -> dict[int, int]:
    """timm's index of each feature map -> its stride."""
    if not timm.is_model(backbone):
        near = difflib.get_close_matches(backbone, timm.list_models(), n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ConfigError(f"unknown backbone '{backbone}': it must be the name of a timm model{hint}")
    with torch.device("meta"):
        info: Any = _create(backbone).feature_info
    return dict(zip(info.out_indices, info.reduction(), strict=True))


def _listed(strides: tuple[int, ...]) -> str:
    return ", ".join(str(stride) for stride in strides)


def _create(backbone: str, **options: Any) -> nn.Module:
    try:
        if timm.get_pretrained_cfg_value(backbone, "fixed_input_size"):
            try:
                return _features_only(backbone, dynamic_img_size=True, **options)
            except TypeError:  # the model has no such option and stays with its own image size
                pass
        return _features_only(backbone, **options)
    except (RuntimeError, AttributeError, AssertionError) as error:
        raise ConfigError(f"backbone '{backbone}' does not offer feature maps (timm: {error})") from error


def _features_only(backbone: str, **options: Any) -> nn.Module:
    model: nn.Module = timm.create_model(backbone, features_only=True, **options)
    return model
