"""timm backbones as feature extractors."""

import difflib
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
    if not timm.is_model(backbone):
        near = difflib.get_close_matches(backbone, timm.list_models(), n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ConfigError(f"unknown backbone '{backbone}': it must be the name of a timm model{hint}")
    with torch.device("meta"):
        info: Any = _create(backbone).feature_info
    strides = info.reduction()
    if stride not in strides:
        available = ", ".join(str(value) for value in sorted(set(strides)))
        raise ConfigError(f"{backbone} has no features of stride {stride}: it has {available}")
    indices = tuple(i for i, reduction in zip(info.out_indices, strides, strict=True) if reduction <= stride)
    return _create(backbone, out_indices=indices, **options)


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
