"""What somebody edits: the start, and what was changed since. Frozen: each change gives another draft."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any, Literal

from lovt_tui.forms.difference import is_same
from lovt_tui.forms.paths import MISSING, Path, begins_with, look_up, put


@dataclass(frozen=True)
class Start:
    """An experiment or sweep to begin from, as its files have it: not validated, no defaults written out."""

    kind: Literal["experiment", "sweep"]
    name: str
    """As it is called on the screen."""
    document: Mapping[str, Any]
    """The file laid over its bases."""
    file: FilePath
    run_id: str = ""
    """Of a past run."""
    problem: str = ""
    """What of it could not be read; empty when all was."""


@dataclass(frozen=True)
class Draft:
    """A start with changes, the latest last."""

    start: Start
    changes: Mapping[Path, Any] = field(default_factory=dict)
    """`MISSING` where a key was taken out."""

    @property
    def original(self) -> dict[str, Any]:
        """The documents before any change, by part of the form."""
        return {self.start.kind: self.start.document, "launch": {}}

    @property
    def documents(self) -> dict[str, Any]:
        """The documents as they are now."""
        documents = self.original
        for path, value in self.changes.items():
            documents = put(documents, path, value)
        return documents

    def change(self, path: Path, value: Any, original: Any = MISSING) -> "Draft":
        """With another value there; `original`, that of the start, is no change."""
        path = in_sweep(path)
        rest = {each: kept for each, kept in self.changes.items() if not begins_with(each, path)}
        if is_same(value, original) and not any(begins_with(path, each) for each in rest):
            return replace(self, changes=rest)
        return replace(self, changes={**rest, path: value})

    def put_back(self, path: Path) -> "Draft":
        """As at the start there, and below."""
        path = in_sweep(path)
        return replace(
            self, changes={each: value for each, value in self.changes.items() if not begins_with(each, path)}
        )

    def search(self, path: Path, parameter: Any) -> "Draft":
        """With a parameter of the space for a key of the base, `MISSING` for none."""
        place = ("sweep", "space", _key(path))
        return self.change(place, parameter, look_up(self.original, place))


def in_sweep(path: Path) -> Path:
    """A sweep sets keys of its base by their whole names under `set`."""
    return ("sweep", "set", _key(path)) if path[0] == "base" else path


def _key(path: Path) -> str:
    return ".".join(map(str, path[1:]))
