"""Experiment files: YAML with a `base` file, overrides, and messages that name file, line and key."""

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from lovt_core.config.experiment import Experiment, StoredExperiment
from lovt_core.config.misfits import Misfit, find_misfits
from lovt_core.config.origins import OVERRIDE, find_origin, merge, origins_of, report, with_origins
from lovt_core.config.problems import describe, find_other_methods_keys, find_switches, locate, name_key
from lovt_core.config.weight_paths import write_out_paths
from lovt_core.config.yaml_text import line_of, parse_mapping, parse_value, plain, read_mapping, write_mapping
from lovt_core.errors import ConfigError, RecordError

_STARTABLE: TypeAdapter[Experiment] = TypeAdapter(Experiment)
_STORED: TypeAdapter[StoredExperiment] = TypeAdapter(StoredExperiment)
AnyExperiment = TypeVar("AnyExperiment", bound=StoredExperiment)


def shipped_folder() -> Path:
    """Folder of the experiment files that come with the program (in the checkout, or inside the installed package)."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "shipped_experiments"
    return installed if installed.is_dir() else package.parent / "experiments"


def shipped_experiments() -> list[Path]:
    """All shipped experiment files that can be run by themselves."""
    found = set(shipped_folder().rglob("*.yaml")) - set(shipped_sweeps())
    return sorted(path for path in found if not path.name.startswith("base"))


def shipped_sweeps() -> list[Path]:
    """All shipped sweep files."""
    return sorted((shipped_folder() / "sweeps").glob("*.yaml"))


def find_sweep_file(text: str) -> Path:
    """The file at `text`, else the shipped sweep of that name or path."""
    path = Path(text).expanduser()
    relative = re.sub(r"^(\./)?(experiments/)?(sweeps/)?", "", text).removesuffix(".yaml")
    shipped = {file.stem: file for file in shipped_sweeps()}
    if path.is_file() or relative in shipped:
        return path if path.is_file() else shipped[relative]
    near = difflib.get_close_matches(relative, shipped, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"shipped ones: {', '.join(shipped)}"
    raise ConfigError(f"no sweep file '{text}'; {hint}")


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
    if near := difflib.get_close_matches(relative, shipped, n=1, cutoff=0.65) or [
        name for name in shipped if len(relative) > 2 and relative in name
    ]:
        return f"did you mean experiments/{near[0]}?"
    return f"shipped ones: {', '.join(shipped)}"


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read, merge with its bases, override (`training.max_epochs=3`) and validate.

    Relative paths of weights are written out: they begin beside the file that gives them, else, and in overrides, in
    the current folder. Raises ConfigError listing every problem on a line of its own, as `file:line: key: message`.
    """
    merged = _merge_bases(path)
    for override in overrides:
        _apply_override(merged, override)
    write_out_paths(merged, Path.cwd())
    return _check_fit(_validate(merged, str(path), _STARTABLE), merged, str(path))


def stamp_files(path: Path) -> dict[str, str]:
    """SHA-256 of an experiment file and of its bases, by absolute path: whether they are edited later can be told."""
    return {str(file.absolute()): hashlib.sha256(file.read_bytes()).hexdigest() for file, _ in _with_bases(path)}


def read_kind(path: Path) -> str:
    """Which kind of experiment a file is, as it stands there; raises ConfigError when it is no YAML mapping."""
    return str(_merge_bases(path).get("kind"))


def load_stored_experiment(path: Path, overrides: Sequence[str] = ()) -> StoredExperiment:
    """Read the merged experiment of a run directory and override; raises RecordError when it is damaged."""
    try:
        merged = with_origins(read_mapping(path), str(path))
        for override in overrides:
            _apply_override(merged, override)
        return _validate(merged, str(path), _STORED)
    except ConfigError as error:
        raise RecordError(str(error)) from error


def parse_experiment(text: str, name: str) -> Experiment:
    """A merged experiment from YAML text; `name` stands for the file in messages."""
    return _validate(with_origins(parse_mapping(text, name), name), name, _STARTABLE)


def change_experiment(experiment: Experiment, settings: Mapping[str, Any]) -> Experiment:
    """The experiment with other values under keys such as `training.max_epochs`.

    Raises ConfigError with a line `--set key=value: key: message` for each problem.
    """
    document = experiment.model_dump(mode="json", by_alias=True)
    for key, value in settings.items():
        _set(document, key.split("."), value)
    try:
        changed = _STARTABLE.validate_python(document)
    except ValidationError:
        pass  # again, in the words of a file
    else:
        switches = find_switches(document, changed.model_dump(mode="json", by_alias=True))
        if not list(switches) and set(find_misfits(changed)) <= set(find_misfits(experiment)):
            return changed
    merged = with_origins(parse_mapping(dump_experiment(experiment), experiment.name), experiment.name)
    for key, value in settings.items():
        _apply_override(merged, f"{key}={json.dumps(value)}")
    changed = _validate(merged, experiment.name, _STARTABLE)
    return _check_fit(changed, merged, experiment.name, known=tuple(find_misfits(experiment)))


def _set(document: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *parents, last = path
    for parent in parents:
        if not isinstance(document.get(parent), dict):
            document[parent] = {}
        document = document[parent]
    document[last] = value


def dump_experiment(experiment: StoredExperiment) -> str:
    """The whole experiment as YAML, every default written out."""
    return write_mapping(experiment.model_dump(mode="json", by_alias=True))


def _merge_bases(path: Path) -> CommentedMap:
    """The file laid over its bases."""
    merged = CommentedMap()
    for file, content in reversed(list(_with_bases(path))):
        write_out_paths(content, file.parent)
        merge(merged, content, str(file))
    merged.pop("base", None)
    return merged


def _with_bases(path: Path) -> Iterator[tuple[Path, CommentedMap]]:
    """The file, its base, the base's base ..."""
    seen: list[Path] = []
    while True:
        seen.append(path.resolve())
        content = read_mapping(path)
        yield path, content
        base = content.get("base")
        if base is None:
            return
        where = f"{path}:{line_of(content, 'base')}: base"
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


def _apply_override(merged: CommentedMap, override: str) -> None:
    """Set one value given as `key.path=value`, the value read as YAML."""
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"override '{override}' is not of the form key.path=value")
    try:
        value = parse_value(text)
    except YAMLError as error:
        raise ConfigError(f"override '{override}': the value is not valid YAML") from error
    section = merged
    *parents, last = key.strip().split(".")
    for parent in parents:
        if not isinstance(section.get(parent), CommentedMap):
            section[parent] = CommentedMap()
            origins_of(section)[parent] = f"{OVERRIDE}{override}"
        section = section[parent]
    section[last] = value
    origins_of(section)[last] = f"{OVERRIDE}{override}"


def _validate(merged: CommentedMap, file: str, adapter: TypeAdapter[AnyExperiment]) -> AnyExperiment:
    given = plain(merged)
    try:
        experiment = adapter.validate_python(given)
    except ValidationError as error:
        raise ConfigError(report(merged, file, _explain(error, merged, file))) from error
    switches = find_switches(given, experiment.model_dump(mode="json", by_alias=True))
    if found := [(place, "must be a number, not true or false") for place in switches]:
        raise ConfigError(report(merged, file, found))
    return experiment


def _explain(error: ValidationError, merged: CommentedMap, file: str) -> Iterator[Misfit]:
    """Place and message of each problem; the keys that another method has are said once."""
    others = find_other_methods_keys(error.errors(), merged)
    for problem in error.errors():
        if locate(problem) not in others:
            yield locate(problem), describe(problem, merged)
    if others:
        name, keys = merged["method"]["name"], ", ".join(name_key(place[1:]) for place in others)
        reads = "reads no reports: it " if ("method", "report_encoder") in others else ""
        lines = ", ".join(dict.fromkeys(find_origin(merged, file, place) for place in others))
        yield (
            ("method", "name"),
            f"{name} {reads}has no {keys}: drop what stands at {lines}, or start from a file of that method, such as "
            f"experiments/pretraining/{name}-100.yaml",
        )


def _check_fit(experiment: Experiment, merged: CommentedMap, file: str, known: Iterable[Misfit] = ()) -> Experiment:
    """The experiment; raises ConfigError where its keys do not fit together, but for what is `known` already."""
    if found := [each for each in find_misfits(experiment) if each not in known]:
        raise ConfigError(report(merged, file, found))
    return experiment
