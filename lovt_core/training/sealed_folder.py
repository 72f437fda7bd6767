"""Folders that are written once: safetensors files and one JSON document that holds everybody's checksum.

Document: `{"format": 1, "sha256": <of the other keys>, "files": {name: sha256}, "content": {...}}`.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lovt_core.errors import LovtError, RecordError

FORMAT = 1


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors to a new safetensors file; raises LovtError when the disk refuses."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(plain, path)
    except SafetensorError as error:
        raise LovtError(f"cannot write {path.name}: {error}") from error


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file to the CPU; raises RecordError when it is not one."""
    try:
        tensors: dict[str, Tensor] = load_file(path, device="cpu")
    except (SafetensorError, OSError) as error:
        raise RecordError(f"cannot read {path}: {error}") from error
    return tensors


def seal(folder: Path, document_name: str, content: Mapping[str, Any]) -> None:
    """Write the document over all files that lie in `folder` now (the folder is still temporary)."""
    files = {
        path.relative_to(folder).as_posix(): _digest_file(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    body = {"format": FORMAT, "files": files, "content": dict(content)}
    text = json.dumps({**body, "sha256": _digest_body(body)}, indent=1)
    (folder / document_name).write_text(text + "\n", encoding="utf-8")


def open_sealed(folder: Path, document_name: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Content and file checksums of a whole folder; raises RecordError saying what is damaged."""
    path = folder / document_name
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        claimed = document.pop("sha256")
        files, content = document["files"], document["content"]
    except FileNotFoundError as error:
        raise RecordError(f"{path} is not there: no whole checkpoint") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"{path} is damaged: {error}") from error
    if claimed != _digest_body(document):
        raise RecordError(f"{path} is damaged: its checksum differs")
    if document["format"] != FORMAT:
        raise RecordError(f"{path} has format {document['format']}, this version reads format {FORMAT}")
    for name, digest in files.items():
        if not (folder / name).is_file():
            raise RecordError(f"{folder / name} is missing")
        if _digest_file(folder / name) != digest:
            raise RecordError(f"{folder / name} is damaged: its checksum differs")
    return content, files


def _digest_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_body(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
