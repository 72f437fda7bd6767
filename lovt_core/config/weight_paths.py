"""Relative paths of weights in an experiment, written out where it is loaded: a run's worker has another folder."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

WEIGHTS = (("image_encoder", "weights", ""), ("report_encoder", "model", "config.json"))
"""Section and key below `method`, and what lies at the path: a file, or a folder with this file in it."""


def write_out_paths(document: MutableMapping[str, Any], folder: Path) -> None:
    """Replace each path of weights that is there, seen from `folder`, by the whole one; names are left alone."""
    method = document.get("method")
    for section_name, key, inside in WEIGHTS:
        section = method.get(section_name) if isinstance(method, MutableMapping) else None
        value = section.get(key) if isinstance(section, MutableMapping) else None
        if isinstance(section, MutableMapping) and isinstance(value, str) and _is_path(value):
            path = folder / Path(value).expanduser()
            if (path / inside).is_file():
                section[key] = str(path.resolve())


def _is_path(text: str) -> bool:
    return "/" in text or bool(Path(text).suffix)
