"""Keys of the screen of sweeps and what they need."""

import pytest

from lovt_tui.sweeping.permitting import Seen, is_allowed
from lovt_tui.sweeping.study import SweepSummary, build_study
from tests.core.sweeps.factories import make_config, make_pair, make_trial

BY_STATE = ("pause", "resume", "stop", "extend", "rebuild")


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ("running", "pause stop extend"),
        ("starting", "pause stop extend"),
        ("paused", "resume stop extend rebuild"),
        ("stopped", "resume extend rebuild"),
        ("interrupted", "pause resume stop extend rebuild"),
        ("finished", "extend rebuild"),
        ("damaged", ""),
    ],
)
def test_actions_by_the_state_of_the_sweep(state, allowed):
    seen = Seen(SweepSummary("tiny", state))
    assert {action for action in BY_STATE if is_allowed(action, seen)} == set(allowed.split())


def test_without_a_sweep_only_new_ones_can_be_started():
    needing = (*BY_STATE, "save_best", "confirm", "export", "report", "view", "sort", "detail", "copy_id", "objective")
    assert not [action for action in needing if is_allowed(action, Seen())]
    assert is_allowed("start", Seen())


def test_views_objectives_and_trials():
    study = build_study("tiny", make_config(), ())
    assert is_allowed("export", Seen(study=study))
    assert not is_allowed("sort", Seen(study=study))
    assert not is_allowed("objective", Seen(study=study))
    assert is_allowed("objective", Seen(study=build_study("pair", *make_pair([(0.1, 0.2)]))))
    assert [is_allowed("parameter", Seen(view=view)) for view in ("slice", "contour", "history")] == [True, True, False]
    assert [is_allowed("second", Seen(view=view)) for view in ("slice", "contour", "history")] == [False, True, False]
    trial = make_trial(1, make_config(), {})
    assert is_allowed("detail", Seen(trial=trial))
    assert is_allowed("copy_id", Seen(trial=trial)) == bool(trial.runs)
    assert is_allowed("save_best", Seen(SweepSummary("tiny", "finished", best=(trial,))))
