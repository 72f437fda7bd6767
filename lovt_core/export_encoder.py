"""A run's encoder as a file for other programs: `python -m lovt_core.export_encoder CHECKPOINT FORMAT FILE RUN`.

It answers as lovt_core/answers.py says, in one line `{"event": "result", "data": ...}`.
"""

import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, assert_never, get_args

import timm
import torch
from safetensors.torch import save as save_safetensors
from torch import Tensor

from lovt_core.answers import answer_all
from lovt_core.errors import ConfigError, InputError
from lovt_core.files import write_bytes_atomic
from lovt_core.models.image_encoder import ImageEncoder, image_encoder_from
from lovt_core.models.trunk import create_trunk
from lovt_core.training.checkpoint import load_checkpoint

Format = Literal["timm", "torchvision", "safetensors"]


def export_encoder(checkpoint: Path, file_format: Format, out: Path, run: str) -> dict[str, Any]:
    """Write the image encoder of a checkpoint folder; what was written and how it is loaded, as JSON values.

    `timm`: a state file under the names of timm's whole model. `torchvision`: one that torchvision's model of that name
    loads. `safetensors`: under the names of timm's `features_only` model, with metadata. Raises InputError for a run
    without an image encoder and ConfigError for a backbone that the format does not know.
    """
    loaded = load_checkpoint(checkpoint)
    if "image_encoder" not in loaded.describe:
        raise InputError(f"run {run} has trained no image encoder: name a pre-training run")
    about = loaded.describe["image_encoder"]
    backbone, stride = str(about["backbone"]), int(about["stride"])
    encoder = image_encoder_from(about, loaded.load_model())
    trunk = {name: tensor.contiguous() for name, tensor in encoder.trunk.state_dict().items()}
    metadata = {"backbone": backbone, "stride": str(stride), "run": run, "fingerprint": encoder.fingerprint()}
    match file_format:
        case "safetensors":
            content = save_safetensors(trunk, metadata)
            how = f"timm.create_model('{backbone}', features_only=True, out_indices={_indices(encoder)})"
            missing: list[str] = []
        case "timm":
            tensors, missing = _name_as_timm(trunk, backbone, stride)
            content = _save(tensors)
            how = f"timm.create_model('{backbone}', num_classes=0)"
        case "torchvision":
            tensors, missing = _name_as_torchvision(trunk, backbone)
            content = _save(tensors)
            how = f"torchvision.models.{backbone}()"
        case _:
            assert_never(file_format)
    write_bytes_atomic(out, content, mode=0o644)
    return {"file": str(out), "format": file_format, **metadata, "load": how, "missing": missing}


def _name_as_timm(trunk: Mapping[str, Tensor], backbone: str, stride: int) -> tuple[dict[str, Tensor], list[str]]:
    """The trunk's tensors under the names of the whole model, and what that has besides.

    Which is which is seen by building a trunk from a model whose every tensor holds its own number.
    """
    whole: Any = timm.create_model(backbone, num_classes=0)
    names = [name for name, tensor in whole.state_dict().items() if tensor.is_floating_point()]
    numbered = {
        name: torch.full_like(tensor, names.index(name)) if name in names else tensor
        for name, tensor in whole.state_dict().items()
    }
    overlay = {"state_dict": numbered, "num_classes": 0}
    twin = create_trunk(backbone, stride, pretrained=True, pretrained_cfg_overlay=overlay).state_dict()
    renamed = {
        names[int(tensor.reshape(-1)[0])]: trunk[name] for name, tensor in twin.items() if tensor.is_floating_point()
    }
    return renamed, [name for name in names if name not in renamed]


def _name_as_torchvision(trunk: Mapping[str, Tensor], backbone: str) -> tuple[dict[str, Tensor], list[str]]:
    """The trunk's tensors, which must be among those of torchvision's model, and what that has besides."""
    from torchvision.models import get_model, list_models

    if backbone not in list_models():
        raise ConfigError(f"torchvision has no {backbone}: export it with --format timm")
    with torch.device("meta"):
        wanted = get_model(backbone, weights=None).state_dict()
    other = [name for name, tensor in trunk.items() if name not in wanted or wanted[name].shape != tensor.shape]
    if other:
        raise ConfigError(f"torchvision's {backbone} has no tensor '{other[0]}': export it with --format timm")
    return dict(trunk), [name for name in wanted if name not in trunk]


def _save(tensors: Mapping[str, Tensor]) -> bytes:
    buffer = io.BytesIO()
    torch.save(dict(tensors), buffer)
    return buffer.getvalue()


def _indices(encoder: ImageEncoder) -> tuple[int, ...]:
    info: Any = encoder.trunk.feature_info
    return tuple(info.out_indices)


def main(arguments: list[str]) -> int:
    """Export as the command line says; the exit code."""
    return answer_all(_export(*arguments))


def _export(checkpoint: str, file_format: str, out: str, run: str) -> Iterator[dict[str, Any]]:
    assert file_format in get_args(Format)
    yield {"event": "result", "data": export_encoder(Path(checkpoint), file_format, Path(out), run)}  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
