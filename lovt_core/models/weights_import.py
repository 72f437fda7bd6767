"""Copies packaged weights into the weights folder: `python -m lovt_core.models.weights_import NAME`.

It answers as lovt_core/answers.py says, in lines `{"event": "result", "data": {name, path}}`.
"""

import json
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from lovt_core.answers import answer_all
from lovt_core.files import publish_folder
from lovt_core.models.weights import PackagedWeights, require_packaged, weights_folder

REPORT_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt")


def import_weights(name: str) -> Path:
    """Folder of the imported weights; what is there already stays as it is.

    Raises InputError for an unknown name and MissingWeightsError where the package is not installed.
    """
    weights, source = require_packaged(name)
    target = weights_folder() / name
    if not target.exists():
        with publish_folder(target) as folder:
            _convert(weights, source, folder)
            (folder / "about.json").write_text(json.dumps(_about(weights), indent=1), encoding="utf-8")
    return target


def _convert(weights: PackagedWeights, source: Path, folder: Path) -> None:
    if weights.kind == "image":
        # Report encoders are copied as they are and need not wait for torch.
        from safetensors.torch import save_file

        from lovt_core.models.image_weights import read_packaged_image_weights

        tensors = read_packaged_image_weights(weights, source)
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "model.safetensors")
        return
    for name in REPORT_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)


def _about(weights: PackagedWeights) -> dict[str, Any]:
    return {
        "title": weights.title,
        "backbone": weights.backbone,
        "licence": weights.licence,
        "package": weights.name,
        "version": metadata.version(weights.name),
    }


def main(arguments: list[str]) -> int:
    """Import each named weights; the exit code."""
    imported = ((name, import_weights(name)) for name in arguments)
    return answer_all({"event": "result", "data": {"name": name, "path": str(path)}} for name, path in imported)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
