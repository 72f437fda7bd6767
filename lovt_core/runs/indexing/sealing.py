"""Checksums of the checkpoint folders that a training has sealed (training/sealed_folder.py), read without torch."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def find_damage(checkpoints: Path) -> Iterator[str]:
    """One sentence for each folder in there that is not as it was when it was written."""
    for folder in sorted(checkpoints.iterdir()):
        if folder.is_dir() and not folder.name.startswith("."):  # hidden ones are still being written, or left half so
            reason = _find_fault(folder)
            if reason is not None:
                yield f"checkpoint {folder.name} is damaged: {reason}"


def _find_fault(folder: Path) -> str | None:
    documents = sorted(folder.glob("*.json"))
    sealed = [document for path in documents if (document := _read_document(path)) is not None]
    if not sealed:
        return "no document with its checksums can be read"
    for document in sealed:
        claimed = document.pop("sha256")
        if hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest() != claimed:
            return "the document with its checksums was changed"
        for name, digest in document["files"].items():
            path = folder / name
            if not path.is_file():
                return f"{name} is missing"
            if _digest_file(path) != digest:
                return f"the checksum of {name} differs"
    return None


def _read_document(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_sealed = isinstance(document, dict) and "sha256" in document and isinstance(document.get("files"), dict)
    return document if is_sealed else None


def _digest_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
