"""Experiment files: YAML with a `base` file, overrides, and messages that name file, line and key."""

import difflib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from lovt_core.config.experiment import Experiment
from lovt_core.config.problems import describe, find_switches, locate, name_key
from lovt_core.errors import ConfigError, RecordError

_ADAPTER: TypeAdapter[Experiment] = TypeAdapter(Experiment)


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
    raise ConfigError(f"no experiment file '{text}'; {_suggest_file(path, relative)}")


def _suggest_file(path: Path, relative: str) -> str:
    """The nearest file beside the wanted one, else the nearest shipped one, else all shipped ones."""
    beside = {str(file): file for file in path.parent.glob("*.y*ml")} if path.parent.is_dir() else {}
    shipped = [str(file.relative_to(shipped_folder())) for file in shipped_experiments()]
    if near := difflib.get_close_matches(str(path), beside, n=1, cutoff=0.8):
        return f"did you mean {near[0]}?"
    if near := difflib.get_close_matches(relative, shipped, n=1, cutoff=0.5) or [
        name for name in shipped if len(relative) > 2 and relative in name
    ]:
        return f"did you mean experiments/{near[0]}?"
    return f"shipped ones: {', '.join(shipped)}"


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read, merge with its bases, override (`training.max_epochs=3`) and validate.

    Raises ConfigError listing every problem on a line of its own, as `file:line: key: message`.
    """
    merged = CommentedMap()
    for file, content in reversed(list(_with_bases(path))):
        _merge(merged, content, str(file))
    merged.pop("base", None)
    for override in overrides:
        _apply_override(merged, override)
    return _validate(merged, str(path))


def load_stored_experiment(path: Path) -> Experiment:
    """Read the merged experiment of a run directory; raises RecordError when it is damaged."""
    try:
        return _validate(_with_origins(_read_mapping(path), str(path)), str(path))
    except ConfigError as error:
        raise RecordError(str(error)) from error


def parse_experiment(text: str, name: str) -> Experiment:
    """A merged experiment from YAML text; `name` stands for the file in messages."""
    return _validate(_with_origins(_parse_mapping(text, Path(name)), name), name)


def dump_experiment(experiment: Experiment) -> str:
    """The whole experiment as YAML, every default written out."""
    stream = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(experiment.model_dump(mode="json", by_alias=True), stream)
    return stream.getvalue()


def _with_bases(path: Path) -> Iterator[tuple[Path, CommentedMap]]:
    """The file, its base, the base's base ..."""
    seen: list[Path] = []
    while True:
        seen.append(path.resolve())
        content = _read_mapping(path)
        yield path, content
        base = content.get("base")
        if base is None:
            return
        where = f"{path}:{_line(content, 'base')}: base"
        if not isinstance(base, str):
            raise ConfigError(f"{where}: must be the path of an experiment file")
        path = _find_base(path.parent, base, where)
        if path.resolve() in seen:
            raise ConfigError(f"{where}: leads in a circle, back to {path}")


def _find_base(folder: Path, base: str, where: str) -> Path:
    """A path beside the file that names it, else a shipped file."""
    beside = folder / Path(base).expanduser()
    if beside.is_file():
        return beside
    try:
        return find_experiment_file(base)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


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
        raise ConfigError(f"{path}:{_explain(error, text)}") from error
    if content is None:
        raise ConfigError(f"{path} is empty: an experiment file has at least the keys kind and name")
    if not isinstance(content, CommentedMap):
        raise ConfigError(f"{path}: an experiment file is a mapping of keys to values")
    try:
        _plain(content)
    except RecursionError as error:
        raise ConfigError(f"{path}: an alias (*) refers to the section that it stands in") from error
    return content


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
        line = _line(source, key)
        origins[key] = f"{file}:{line}" if line else file


def _with_origins(content: CommentedMap, file: str) -> CommentedMap:
    """The content of a single file, each key with its line."""
    merged = CommentedMap()
    _merge(merged, content, file)
    return merged


def _line(mapping: CommentedMap, key: Any) -> int | None:
    """Line of a key, from 1; None where it came in through an alias."""
    return mapping.lc.data[key][0] + 1 if mapping.lc.data and key in mapping.lc.data else None


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
            _origins(section)[parent] = f"--set {override}"
        section = section[parent]
    section[last] = value
    _origins(section)[last] = f"--set {override}"


def _validate(merged: CommentedMap, file: str) -> Experiment:
    plain = _plain(merged)
    try:
        experiment = _ADAPTER.validate_python(plain)
    except ValidationError as error:
        found = [(locate(problem), describe(problem, merged)) for problem in error.errors()]
        raise ConfigError(_report(merged, file, found)) from error
    switches = find_switches(plain, experiment.model_dump(mode="json", by_alias=True))
    if found := [(place, "must be a number, not true or false") for place in switches]:
        raise ConfigError(_report(merged, file, found))
    return experiment


def _plain(value: Any) -> Any:
    """Plain Python containers and scalars; a date, which no key takes, is read as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def _report(merged: CommentedMap, file: str, found: Iterable[tuple[tuple[str | int, ...], str]]) -> str:
    """A line `where: key: message` for each problem, the same one once."""
    lines = (f"{_where(merged, file, location)}: {name_key(location)}: {message}" for location, message in found)
    return "\n".join(dict.fromkeys(lines))


def _where(merged: CommentedMap, file: str, location: Sequence[str | int]) -> str:
    """File and line, or override, that gave the value there; of the section around it where it is missing."""
    where, section = file, merged
    for part in location:
        if not isinstance(section, CommentedMap) or part not in section:
            break
        where = _origins(section).get(part, where)
        section = section[part]
    return where
