"""Experiment files: YAML with a `base` file, overrides, and messages that name file, line and key."""

import difflib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from lovt_core.config.experiment import Experiment
from lovt_core.errors import ConfigError, RecordError

_ADAPTER: TypeAdapter[Experiment] = TypeAdapter(Experiment)
_MAX_BASES = 8


def shipped_folder() -> Path:
    """Folder of the experiment files that come with the program (in the checkout, or inside the installed package)."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "shipped_experiments"
    return installed if installed.is_dir() else package.parent / "experiments"


def shipped_experiments() -> list[Path]:
    """All shipped experiment files that can be run by themselves."""
    return sorted(path for path in shipped_folder().rglob("*.yaml") if not path.name.startswith("base"))


def find_experiment_file(text: str) -> Path:
    """The file at `text`, else the shipped file of that path (with or without `experiments/` and `.yaml`)."""
    path = Path(text).expanduser()
    if path.is_file():
        return path
    relative = re.sub(r"^(\./)?experiments/", "", text)
    for candidate in (relative, f"{relative}.yaml"):
        shipped = shipped_folder() / candidate
        if shipped.is_file():
            return shipped
    names = {str(file.relative_to(shipped_folder())): file for file in shipped_experiments()}
    near = difflib.get_close_matches(relative, names, n=1, cutoff=0.5)
    hint = f"; did you mean experiments/{near[0]}?" if near else f"; shipped ones: {', '.join(names)}"
    raise ConfigError(f"no experiment file {text}{hint}")


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read, merge with its bases, override (`training.max_epochs=3`) and validate.

    Raises ConfigError listing every problem as `file:line: key: message`.
    """
    merged = CommentedMap()
    for file in reversed(list(_with_bases(path))):
        _merge(merged, _read_mapping(file), str(file))
    merged.pop("base", None)
    for override in overrides:
        _apply_override(merged, override)
    return _validate(merged, str(path))


def load_stored_experiment(path: Path) -> Experiment:
    """Read the merged experiment of a run directory; raises RecordError when it is damaged."""
    try:
        return _validate(_read_mapping(path), str(path))
    except ConfigError as error:
        raise RecordError(str(error)) from error


def parse_experiment(text: str, name: str) -> Experiment:
    """A merged experiment from YAML text; `name` stands for the file in messages."""
    return _validate(_parse_mapping(text, Path(name)), name)


def dump_experiment(experiment: Experiment) -> str:
    """The whole experiment as YAML, every default written out."""
    stream = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(experiment.model_dump(mode="json", by_alias=True), stream)
    return stream.getvalue()


def _with_bases(path: Path) -> Iterator[Path]:
    """The file, its base, the base's base ..."""
    seen: list[Path] = []
    while True:
        if path.resolve() in seen or len(seen) >= _MAX_BASES:
            raise ConfigError(f"{path}: key 'base' leads in a circle")
        seen.append(path.resolve())
        yield path
        base = _read_mapping(path).get("base")
        if base is None:
            return
        if not isinstance(base, str):
            raise ConfigError(f"{path}: key 'base' must be the path of a YAML file")
        path = path.parent / base


def _read_mapping(path: Path) -> CommentedMap:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot read experiment file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not a text file in UTF-8") from error
    return _parse_mapping(text, path)


def _parse_mapping(text: str, path: Path) -> CommentedMap:
    try:
        content = YAML().load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', error)}") from error
    if content is None:
        raise ConfigError(f"{path} is empty: an experiment file has at least the keys kind and name")
    if not isinstance(content, CommentedMap):
        raise ConfigError(f"{path}: an experiment file is a mapping of keys to values")
    return content


def _merge(target: CommentedMap, source: CommentedMap, file: str) -> None:
    """Lay `source` over `target`, section by section; each key remembers the file and line it came from."""
    origins = _origins(target)
    for key, value in source.items():
        if isinstance(value, CommentedMap) and isinstance(target.get(key), CommentedMap):
            _merge(target[key], value, file)
            continue
        if isinstance(value, CommentedMap):
            target[key] = CommentedMap()
            _merge(target[key], value, file)
        else:
            target[key] = value
        line = source.lc.data[key][0] + 1 if source.lc.data and key in source.lc.data else None
        origins[key] = f"{file}:{line}" if line else file


def _origins(mapping: CommentedMap) -> dict[Any, str]:
    origins: dict[Any, str] = mapping.__dict__.setdefault("lovt_origins", {})
    return origins


def _apply_override(merged: CommentedMap, override: str) -> None:
    """Set one value given as `key.path=value`, the value read as YAML."""
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"override '{override}' is not of the form key.path=value")
    try:
        value = YAML(typ="safe").load(text)
    except YAMLError as error:
        raise ConfigError(f"override '{override}': the value is not valid YAML") from error
    section = merged
    *parents, last = key.strip().split(".")
    for parent in parents:
        if not isinstance(section.get(parent), CommentedMap):
            section[parent] = CommentedMap()
        section = section[parent]
    section[last] = value
    _origins(section)[last] = f"--set {override}"


def _validate(merged: CommentedMap, file: str) -> Experiment:
    try:
        return _ADAPTER.validate_python(_plain(merged))
    except ValidationError as error:
        problems = [_describe(merged, file, problem) for problem in error.errors()]
        raise ConfigError("\n".join(dict.fromkeys(problems))) from error


def _plain(value: Any) -> Any:
    """Plain Python containers; numbers such as `1e-4`, which YAML 1.1 and 1.2 read differently, become floats."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, CommentedSeq | list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", value):
        return float(value)
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def _describe(merged: CommentedMap, file: str, problem: Any) -> str:
    """`where: key: message`, with the nearest valid key for an unknown one."""
    kinds = ("pretrain", "evaluate", "selftest")
    location = [part for part in problem["loc"] if part not in kinds or len(problem["loc"]) == 1]
    where, section = file, merged
    for part in location:
        if not isinstance(section, CommentedMap) or part not in section:
            break
        where = _origins(section).get(part, where)
        section = section[part]
    key = ".".join(str(part) for part in location) or "kind"
    match problem["type"]:
        case "extra_forbidden":
            message = f"unknown key{_nearest_key(merged, location)}"
        case "missing":
            message = "is missing"
        case "union_tag_not_found":
            key, message = "kind", f"is missing: one of {', '.join(kinds)}"
        case "union_tag_invalid":
            key, message = "kind", f"unknown value{_nearest_value(merged.get('kind'), kinds)}"
        case "literal_error":
            choices = re.findall(r"'([^']*)'", problem["ctx"]["expected"])
            message = f"{problem['msg']}{_nearest_value(problem['input'], choices)}"
        case _:
            message = problem["msg"].removeprefix("Value error, ")
    return f"{where}: {key}: {message}"


def _nearest_value(value: Any, choices: Sequence[str]) -> str:
    near = difflib.get_close_matches(str(value), choices, n=1, cutoff=0.4)
    return f" ('{value}'); did you mean '{near[0]}'?" if near else f" ('{value}'); one of {', '.join(choices)}"


def _nearest_key(merged: Mapping[str, Any], location: Sequence[Any]) -> str:
    known = _known_keys(str(merged.get("kind")), location[:-1])
    near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.4)
    return f"; did you mean '{near[0]}'?" if near else f"; known keys: {', '.join(known)}"


def _known_keys(kind: str, parents: Sequence[Any]) -> list[str]:
    """Keys of the section at `parents` in the schema of an experiment kind."""
    union = get_args(Experiment)[0]
    model: type[BaseModel] | None = next(
        (item for item in get_args(union) if item.model_fields["kind"].default == kind), None
    )
    for parent in parents:
        if model is None:
            break
        model = next((m for n, m in _sections(model) if n == parent), None)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _sections(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        for candidate in (field.annotation, *get_args(field.annotation)):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                yield field.alias or name, candidate
