"""The screen that starts runs, in a folder with files of every kind: what its tests share."""

from lovt_tui.app import Dashboard
from lovt_tui.forms.drafts import Draft
from lovt_tui.forms.edits import apply_overrides
from lovt_tui.forms.views import build_view
from lovt_tui.starting import StartChoice, open_start
from lovt_tui.widgets.form_table import FormTable
from tests.tui.factories import FakeIndex, make_sources, type_in, wait_for

SWEEP = """
kind: sweep
name: small
experiment: mine.yaml
space: {training.optimiser.learning_rate: {type: float, low: 1.0e-4, high: 1.0e-1, log: true}}
objective: {metric: train/loss}
trials: 3
"""
WIDE = (120, 40)


def make_new_app(workspace, *rows):
    return Dashboard(workspace, place="~/lab", sources=make_sources(FakeIndex(*rows), workspace.runs))


async def begin(pilot, name):
    """Open a start by its name; waits until it was judged."""
    await wait_for(pilot, "No runs yet")
    await pilot.press("2")
    await wait_for(pilot, "shipped")
    await pilot.press("slash")
    type_in(pilot, name)
    await pilot.press("enter", "enter")
    await wait_for(pilot, lambda shown: "▾ experiment" in shown and ("✔" in shown or "✘" in shown))


async def go_to(pilot, key):
    """Put the cursor on a key."""
    assert pilot.app.screen.query_one(FormTable).select(key)
    await pilot.pause()


def view_of(text, overrides=""):
    return build_view(apply_overrides(Draft(open_start(None, StartChoice("experiment", text, ""))), overrides))
