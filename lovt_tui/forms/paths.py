"""Where a value stands in a document of plain containers: keys and positions, the part of the form first."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Path = tuple[str | int, ...]


class Missing:
    """A value that is not there, where None is a value."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


def look_up(document: Any, path: Path) -> Any:
    """The value there, else `MISSING`."""
    for part in path:
        document = _step_into(document, part)
    return document


def _step_into(document: Any, part: str | int) -> Any:
    if isinstance(document, list):
        return document[part] if isinstance(part, int) and part < len(document) else MISSING
    return document.get(part, MISSING) if isinstance(document, Mapping) else MISSING


def put(document: Any, path: Path, value: Any) -> Any:
    """A copy with another value there, `MISSING` to leave it out; what stands in the way makes room for sections."""
    if not path:
        return value
    part, rest = path[0], path[1:]
    if isinstance(document, list) and isinstance(part, int):
        items = list(document)
        if part < len(items):
            changed = put(items[part], rest, value)
            items[part : part + 1] = [] if changed is MISSING else [changed]
        return items
    section = dict(document) if isinstance(document, Mapping) else {}
    if value is MISSING and part not in section:
        return document
    changed = put(section.get(str(part)), rest, value)
    if changed is MISSING:
        section.pop(str(part), None)
    else:
        section[str(part)] = changed
    return section


def begins_with(path: Path, other: Path) -> bool:
    """Whether `other` is `path` or a section that it stands in."""
    return path[: len(other)] == other


def name_path(path: Path) -> str:
    """`training.optimiser.name`, as messages and `--set` name a key; the part of the form is left out."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path[1:])
    return text.removeprefix(".")


def flatten(document: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each value that is no filled section, with its place."""
    if isinstance(document, Mapping) and document:
        for key, value in document.items():
            yield from flatten(value, (*path, key))
    else:
        yield path, document
