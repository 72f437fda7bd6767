"""A draft as the screen shows it: rows, what is wrong, what differs, the whole. Reads files: for worker threads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel

from lovt_core.config.experiment import Experiment, fill_in
from lovt_core.config.loading import dump_experiment, find_experiment_file
from lovt_core.config.misfits import list_unread
from lovt_core.config.sweep import SweepConfig
from lovt_core.config.sweep_file import Sweep, dump_sweep
from lovt_core.config.yaml_text import write_mapping
from lovt_core.errors import LovtError
from lovt_tui.forms.checking import Problem, check_experiment, check_launch, check_sweep
from lovt_tui.forms.difference import DifferenceLine, compare, is_same
from lovt_tui.forms.drafts import Draft
from lovt_tui.forms.fields import Field, list_fields
from lovt_tui.forms.groups import TITLES, find_group
from lovt_tui.forms.launching import RunLaunch, SweepLaunch
from lovt_tui.forms.paths import MISSING, look_up, name_path, put
from lovt_tui.forms.ranges import describe_parameter, explain_entry
from lovt_tui.forms.starts import read_file
from lovt_tui.forms.values import show_value

SCHEMAS: dict[str, Any] = {"experiment": Experiment, "sweep": SweepConfig, "base": Experiment}
SETTLED = (("kind",), ("name",), ("seed",))
"""Keys of a sweep's base that the sweep itself decides for each run."""


@dataclass(frozen=True)
class Row:
    """A key of the form."""

    field: Field
    group: str
    original: Any
    """At the start, a default where it had none; `MISSING` where it had neither."""
    is_changed: bool
    problem: str = ""
    search: str = ""
    """Of a key that a sweep searches over: its range."""

    @property
    def key(self) -> str:
        """As messages name it."""
        return name_path(self.field.path)

    @property
    def id(self) -> str:
        """Unlike any other row's."""
        return f"{self.field.path[0]}:{self.key}{':' if self.field.form == 'entry' else ''}"

    @property
    def text(self) -> str:
        """Its value in one line."""
        if self.search:
            return self.search
        if self.field.form == "switch" and isinstance(self.field.value, Mapping):
            return "on"
        if self.field.form == "entry" and isinstance(self.field.value, Mapping):
            return describe_parameter(self.field.value)
        if self.field.form == "yaml" and isinstance(self.field.value, Mapping) and self.field.value:
            return ", ".join(self.field.value)
        return show_value(self.field.value)


@dataclass(frozen=True)
class View:
    """Everything of a draft that needs no look at the workspace."""

    draft: Draft
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    difference: tuple[DifferenceLine, ...]
    whole: str
    """All of it as YAML, defaults written out."""
    asked: Experiment | Sweep | None
    """None where something is wrong with it."""
    launch: RunLaunch | SweepLaunch | None


def build_view(draft: Draft) -> View:
    """Fields with their values, checked by the schema."""
    kind, file = draft.start.kind, draft.start.file
    now, then = draft.documents, draft.original
    base_problems: tuple[Problem, ...] = ()
    if kind == "sweep":
        now, base_problems = _with_base(now, file)
        then, _ = _with_base(then, file)
    asked, problems = _check(kind, now, file)
    launch, launch_problems = check_launch(_launch_schema(kind), now["launch"])
    reading = (Problem(kind, "", draft.start.problem),) if draft.start.problem else ()
    problems = tuple(_explain_range(each, now) for each in problems)
    problems = tuple(dict.fromkeys((*reading, *base_problems, *problems, *launch_problems)))
    rows = _build_rows(kind, now, then, problems)
    assert launch is None or isinstance(launch, RunLaunch | SweepLaunch)
    return View(
        draft, rows, problems, tuple(compare(_whole(kind, then), _whole(kind, now))), _write(kind, now, asked),
        None if reading else asked, launch,
    )  # fmt: skip


def saved_document(draft: Draft) -> dict[str, Any]:
    """What a file of it has: the keys that were given at the start or since."""
    return dict(draft.documents[draft.start.kind])


def list_parts(kind: str) -> tuple[str, ...]:
    """Parts of the form of an experiment or a sweep."""
    return ("sweep", "base", "launch") if kind == "sweep" else ("experiment", "launch")


def _launch_schema(kind: str) -> type[BaseModel]:
    return SweepLaunch if kind == "sweep" else RunLaunch


def _check(kind: str, documents: Mapping[str, Any], file: FilePath) -> tuple[Any, tuple[Problem, ...]]:
    return (
        check_sweep(documents["sweep"], file.parent) if kind == "sweep" else check_experiment(documents["experiment"])
    )


def _with_base(documents: Mapping[str, Any], file: FilePath) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """With the experiment that a sweep varies, what it sets laid over it."""
    sweep = documents["sweep"]
    problems: tuple[Problem, ...] = ()
    base: Any = {}
    try:
        text = sweep.get("experiment")
        if isinstance(text, str):
            beside = file.parent / FilePath(text).expanduser()
            base = read_file(beside if beside.is_file() else find_experiment_file(text), text).document
    except (LovtError, OSError, ValueError) as error:
        problems = (Problem("sweep", "experiment", str(error)),)
    settings = sweep.get("set")
    for key, value in settings.items() if isinstance(settings, Mapping) else ():
        base = put(base, tuple(str(key).split(".")), value)
    return {**documents, "base": base}, problems


def _build_rows(
    kind: str, now: Mapping[str, Any], then: Mapping[str, Any], problems: Sequence[Problem]
) -> tuple[Row, ...]:
    rows = []
    searched = _list_searched(look_up(now, ("sweep", "space")))
    for part in list_parts(kind):
        original = {field.path: field for field in _fields(kind, part, then)}
        for field in _fields(kind, part, now):
            before = original.get(field.path)
            value = MISSING if before is None else before.value
            row = Row(field, find_group(field.path), value, before is None or _differs(before, field))
            rows.append(replace(row, search=searched.get(row.key, "")) if part == "base" else row)
    order = {title: number for number, title in enumerate(TITLES)}
    rows.sort(key=lambda row: order[row.group])
    named = [replace(row, group=f"base: {row.group}") if row.field.path[0] == "base" else row for row in rows]
    return _lay_out_problems(named, problems)


def _list_searched(space: Any) -> dict[str, str]:
    """Key of the base -> the range that it is searched in, whatever the parameter's name."""
    searched: dict[str, str] = {}
    for name, parameter in space.items() if isinstance(space, Mapping) else ():
        if isinstance(parameter, Mapping):
            lists = [parameter.get("keys")]
            for several in (parameter.get("parts"), parameter.get("settings")):
                lists += several.values() if isinstance(several, Mapping) else ()
            keys = [key for each in lists if isinstance(each, list | Mapping) for key in each]
            searched |= dict.fromkeys(map(str, keys or [name]), describe_parameter(parameter))
    return searched


def _fields(kind: str, part: str, documents: Mapping[str, Any]) -> tuple[Field, ...]:
    schema = _launch_schema(kind) if part == "launch" else SCHEMAS[part]
    document = documents[part]
    is_pretraining = part in ("experiment", "base") and document.get("kind") == "pretrain"
    fields = list_fields(schema, fill_in(document) if is_pretraining else document, (part,))
    if is_pretraining:
        fields = tuple(field for field in fields if not _is_unread(field, document))
    if part == "base":
        return tuple(field for field in fields if field.path[1:] not in SETTLED)
    return fields if part != "sweep" else tuple(field for field in fields if not _is_hidden(field))


def _is_unread(field: Field, document: Mapping[str, Any]) -> bool:
    """Whether the method does not read a key that is not set to anything either."""
    sections = [("augmentation", name) for name in list_unread(str(look_up(document, ("method", "name"))))]
    return field.path[1:3] in sections and is_same(field.value, field.default)


def _is_hidden(field: Field) -> bool:
    """Of a sweep: what it is by being one, and the keys of a parameter, which is edited in one line."""
    is_inside = field.path[:2] == ("sweep", "space") and len(field.path) > 2 and field.form != "entry"
    return field.path == ("sweep", "kind") or is_inside


def _explain_range(problem: Problem, now: Mapping[str, Any]) -> Problem:
    """What stands in place of a parameter of the space was typed as a range: say what one looks like."""
    value = look_up(now, ("sweep", "space", problem.key.removeprefix("space.")))
    explained = explain_entry(value) if problem.part == "sweep" and value is not MISSING else ""
    return replace(problem, message=explained) if explained else problem


def _differs(before: Field, now: Field) -> bool:
    """A section that may be left out differs when it is there now and was not, or the other way round."""
    if now.form == "switch":
        return (before.value is None) != (now.value is None)
    return not is_same(before.value, now.value)


def _lay_out_problems(rows: Sequence[Row], problems: Sequence[Problem]) -> tuple[Row, ...]:
    """Each at its row, else at the first row of its section."""
    said: dict[str, str] = {}
    for problem in problems:
        key = problem.key.partition("[")[0]
        key = key or problem.message.partition(" ")[0]
        own = [row for row in rows if row.field.path[0] == problem.part]
        at = next((row for row in own if row.key in (problem.key, key)), None)
        at = at or next((row for row in own if row.key.startswith(f"{key}.")), None)
        at = at or max(
            (row for row in own if key.startswith(f"{row.key}.")), key=lambda row: len(row.key), default=None
        )
        if at is not None and at.id not in said:
            said[at.id] = problem.message
    return tuple(replace(row, problem=said[row.id]) if row.id in said else row for row in rows)


def _whole(kind: str, documents: Mapping[str, Any]) -> dict[str, Any]:
    """With every default, whether or not it validates."""
    document: Any = {}
    for field in _fields(kind, kind, documents):
        if field.value is not MISSING and look_up(document, field.path[1:]) is MISSING:
            filled = field.form == "switch" and isinstance(field.value, Mapping)
            document = put(document, field.path[1:], {} if filled else field.value)
    return dict(document)


def _write(kind: str, documents: Mapping[str, Any], asked: Any) -> str:
    if isinstance(asked, Sweep):
        return f"{dump_sweep(asked.config)}\n# the base experiment\n{dump_experiment(asked.base)}"
    return write_mapping(_whole(kind, documents)) if asked is None else dump_experiment(asked)
