"""All actions of the dashboard by name, with their keys: for `lovt-tui --keys`, and to check what people have set."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from textual.binding import Binding
from textual.keys import REPLACED_KEYS, Keys, key_to_character

from lovt_core.errors import InputError
from lovt_tui.app import Dashboard
from lovt_tui.screens.compare import CompareScreen
from lovt_tui.screens.compare_acting import CompareActingScreen
from lovt_tui.screens.data import DataScreen
from lovt_tui.screens.data_acting import DataActingScreen
from lovt_tui.screens.form_acting import FormActingScreen
from lovt_tui.screens.new import NewScreen
from lovt_tui.screens.run import RunScreen
from lovt_tui.screens.run_acting import RunActingScreen
from lovt_tui.screens.runs import RunsScreen
from lovt_tui.screens.samples import SamplesScreen
from lovt_tui.screens.sweep_acting import SweepActingScreen
from lovt_tui.screens.sweeps import SweepsScreen
from lovt_tui.widgets.comparison_table import ComparisonTable
from lovt_tui.widgets.form import Form
from lovt_tui.widgets.form_table import FormTable
from lovt_tui.widgets.line_table import LineTable
from lovt_tui.widgets.line_view import LineView
from lovt_tui.widgets.run_table import RunTable
from lovt_tui.widgets.start_pane import StartPane
from lovt_tui.widgets.start_table import StartTable
from lovt_tui.widgets.type_bar import TypeBar

PLACES: dict[str, tuple[type, ...]] = {
    "everywhere": (Dashboard,),
    "runs": (RunsScreen, RunActingScreen, RunTable, LineTable),
    "run": (RunScreen, RunActingScreen, LineView),
    "new": (NewScreen, FormActingScreen, StartPane, StartTable, Form, FormTable, TypeBar, LineTable, LineView),
    "sweeps": (SweepsScreen, SweepActingScreen, LineTable),
    "compare": (CompareScreen, CompareActingScreen, ComparisonTable),
    "data": (DataScreen, DataActingScreen, LineTable),
    "samples": (SamplesScreen,),
}
"""Where keys work, and whose they are there."""
MODIFIERS = ("ctrl", "shift", "alt", "meta", "super", "hyper")


def collect(place: str) -> dict[str, Binding]:
    """Name of an action -> its binding."""
    bindings = (each for owner in PLACES[place] for each in vars(owner).get("BINDINGS", ()))
    return {each.id: each for each in bindings if isinstance(each, Binding) and each.id}


def describe_keys(own: Mapping[str, str] = MappingProxyType({})) -> str:
    """A line an action, as it can stand in the preferences file; `own` are keys that people have set."""
    lines = []
    for place in PLACES:
        lines.append(f"# {place}")
        for name, each in collect(place).items():
            lines.append(f'"{name}" = "{own.get(name, each.key)}"  # {each.tooltip or each.description}')
    return "\n".join(lines) + "\n"


def check_keys(path: Path, keys: Mapping[str, str]) -> None:
    """Raise InputError for an action or a key that is none, and for one key given to two actions in one place."""
    names = {name for place in PLACES for name in collect(place)}
    for name, given in keys.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else "lovt-tui --keys lists them"
            raise InputError(f"{path}: keys: no action is called '{name}', {hint}")
        for key in given.split(","):
            _check_key(path, name, key.strip())
    for place in PLACES:
        _check_clashes(path, place, keys)


def _check_key(path: Path, name: str, key: str) -> None:
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    known = {each.value for each in Keys}
    if any(each not in MODIFIERS for each in modifiers) or not (
        len(last) == 1 or last in known or last in REPLACED_KEYS or key_to_character(last) is not None
    ):
        raise InputError(f"{path}: keys: {name}: '{key}' is no key: a character, or a name such as f5 or ctrl+t")


def _check_clashes(path: Path, place: str, keys: Mapping[str, str]) -> None:
    """Where two actions share a key as they come (what has the focus decides), they may."""
    bindings = {**collect("everywhere"), **collect(place)}
    changed = {name for name, binding in bindings.items() if keys.get(name, binding.key) != binding.key}
    taken: dict[str, str] = {}
    for name, binding in bindings.items():
        for key in (each.strip() for each in keys.get(name, binding.key).split(",")):
            other = taken.setdefault(key, name)
            if other != name and (name in changed or other in changed):
                raise InputError(f"{path}: keys: '{key}' would be both {other} and {name} in {place}: give one another")
