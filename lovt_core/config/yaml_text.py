"""YAML text to mappings that know their lines, and back; what is wrong with a text in one line."""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from lovt_core.errors import ConfigError


def read_mapping(path: Path, what: str = "experiment file") -> CommentedMap:
    """The mapping in a file; raises ConfigError naming file and line. `what` the file is, for messages."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot read {what} {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not a text file in UTF-8") from error
    return parse_mapping(text, str(path), what)


def parse_mapping(text: str, name: str, what: str = "experiment file") -> CommentedMap:
    """The mapping in a text; `name` stands for the file in messages of the ConfigError that it may raise."""
    try:
        content = YAML().load(text)
    except YAMLError as error:
        raise ConfigError(f"{name}:{_explain(error, text)}") from error
    if content is None:
        raise ConfigError(f"{name} is empty: an experiment file has at least the keys kind and name")
    if not isinstance(content, CommentedMap):
        raise ConfigError(f"{name} is no {what}: it must be a mapping of keys to values")
    try:
        plain(content)
    except RecursionError as error:
        raise ConfigError(f"{name}: an alias (*) refers to the section that it stands in") from error
    return content


def plain(value: Any) -> Any:
    """Plain Python containers and scalars; a date, which no key takes, is read as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def parse_value(text: str) -> Any:
    """One value, as after a key; raises YAMLError."""
    return YAML(typ="safe").load(text)


def line_of(mapping: CommentedMap, key: Any) -> int | None:
    """Line of a key, from 1; None where it came in through an alias."""
    return mapping.lc.data[key][0] + 1 if mapping.lc.data and key in mapping.lc.data else None


def write_mapping(content: Mapping[str, Any]) -> str:
    """Plain containers and scalars as a text that `parse_mapping` reads back the same."""
    stream = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(_with_quotes(content), stream)
    return stream.getvalue()


def _explain(error: YAMLError, text: str) -> str:
    """Line and reason in one line of text."""
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return f"{line}: a character that YAML does not allow, U+{ord(text[error.position]):04X}"
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return f" not valid YAML: {' '.join(str(error).split())}"
    line, problem = error.problem_mark.line + 1, str(error.problem)
    if isinstance(error, DuplicateKeyError):
        key = re.match(r'found duplicate key "(.*?)" with value', problem)
        return f"{line}: {key[1] if key else problem}: this key is given twice"
    parts = (error.context, problem) if problem.startswith("but ") else (problem, error.context)
    return f"{line}: not valid YAML: {' '.join(part for part in parts if part)}"


def _with_quotes(value: Any) -> Any:
    """Texts with unprintable characters get double quotes: in single ones a U+0085 would come back as a space."""
    if isinstance(value, dict):
        return {key: _with_quotes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_quotes(item) for item in value]
    if isinstance(value, str) and not value.isprintable():
        return DoubleQuotedScalarString(value)
    return value
