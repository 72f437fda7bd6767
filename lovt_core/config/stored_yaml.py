"""The experiment in a run directory as plain values, read by libyaml: fifteen times as fast as with line numbers.

What PyYAML reads by itself is YAML 1.1 (`no` is false, `1e-4` a text). The files are YAML 1.2, so the core schema's
rules take the place of its own (YAML 1.2.2, section 10.3.2).
"""

import re
from pathlib import Path
from typing import Any

import yaml

from lovt_core.errors import RecordError

_Base: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _CoreLoader(_Base):  # type: ignore[misc]
    """Scalars as in the core schema."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own name


def _add(tag: str, pattern: str, first: str) -> None:
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


_add("null", r"^(?:~|null|Null|NULL|)$", "~nN")
_CoreLoader.yaml_implicit_resolvers.setdefault("", []).append(("tag:yaml.org,2002:null", re.compile(r"^$")))
_add("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF")
_add("int", r"^[-+]?[0-9]+$", "-+0123456789")
_add("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789")
_CoreLoader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))
_CoreLoader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))


def read_stored(path: Path) -> dict[str, Any]:
    """The mapping as it stands there, not validated; raises RecordError unless it has a `kind` and a `name`."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_CoreLoader)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not valid YAML"
        raise RecordError(f"cannot read {path}: {reason}") from error
    if not isinstance(content, dict) or not all(isinstance(content.get(key), str) for key in ("kind", "name")):
        raise RecordError(f"{path} is no experiment: the keys kind and name are missing")
    return content
