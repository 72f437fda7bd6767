"""Where each value of a merged experiment came from: file and line, or `--set key=value`; messages that say so."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ruamel.yaml.comments import CommentedMap

from lovt_core.config.misfits import Misfit
from lovt_core.config.problems import name_key
from lovt_core.config.yaml_text import line_of

OVERRIDE = "--set "
"""How the origin of a value begins that no file gives."""


def merge(target: CommentedMap, source: CommentedMap, file: str) -> None:
    """Lay `source` over `target`, section by section; each key remembers the file and line it came from."""
    origins = origins_of(target)
    for key, value in source.items():
        if isinstance(value, CommentedMap) and isinstance(target.get(key), CommentedMap):
            merge(target[key], value, file)
            continue
        if isinstance(value, CommentedMap):
            target[key] = CommentedMap()
            merge(target[key], value, file)
        else:
            target[key] = value
        line = line_of(source, key)
        origins[key] = f"{file}:{line}" if line else file


def with_origins(content: CommentedMap, file: str) -> CommentedMap:
    """The same content, each key with its origin."""
    merged = CommentedMap()
    merge(merged, content, file)
    return merged


def origins_of(mapping: CommentedMap) -> dict[Any, str]:
    """Key -> origin, of one section; what is put there is kept."""
    origins: dict[Any, str] = mapping.__dict__.setdefault("lovt_origins", {})
    return origins


def report(merged: CommentedMap, file: str, found: Iterable[Misfit]) -> str:
    """A line `where: key: message` for each problem, the same one once, in the order of the file."""
    lines = [
        (_find_cause(merged, file, location, message), f"{name_key(location)}: {message}" if location else message)
        for location, message in found
    ]
    lines.sort(key=lambda line: [int(part) if part.isdigit() else 0 for part in line[0].rsplit(":", 1)])
    return "\n".join(dict.fromkeys(f"{where}: {text}" for where, text in lines))


def find_origin(merged: CommentedMap, file: str, location: Sequence[str | int]) -> str:
    """File and line, or override, that gave the value there; of the section around it where it is missing."""
    where, section = file, merged
    for part in location:
        if not isinstance(section, CommentedMap) or part not in section:
            break
        where = origins_of(section).get(part, where)
        section = section[part]
    return where


def _find_cause(merged: CommentedMap, file: str, location: Sequence[str | int], message: str) -> str:
    """The origin; where a whole section is wrong, the overrides in it that the message speaks of, or all of them.

    Of the whole experiment, only those that the message speaks of.
    """
    section: Any = merged
    for part in location:
        section = section.get(part) if isinstance(section, CommentedMap) else None
    where = find_origin(merged, file, location)
    if not isinstance(section, CommentedMap) or where.startswith(OVERRIDE):
        return where
    overrides = list(dict.fromkeys(_list_overrides(section)))
    spoken_of = [each for each in overrides if _speaks_of(message, each)]
    return " ".join(spoken_of or (overrides if location else ())) or where


def _list_overrides(section: CommentedMap) -> Iterator[str]:
    for key, value in section.items():
        origin = origins_of(section).get(key, "")
        if origin.startswith(OVERRIDE):
            yield origin
        elif isinstance(value, CommentedMap):
            yield from _list_overrides(value)


def _speaks_of(message: str, override: str) -> bool:
    key, _, value = override.removeprefix(OVERRIDE).partition("=")
    words = set(re.findall(r"[\w-]+", message))
    return key.strip().rpartition(".")[2] in words or value.strip().strip("'\"") in words
