"""Runs drawn together: pinned, marked, seeds as one; shares of the loss; in which order runs stand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lovt_core.runs.records import Curve
from lovt_tui.formatting import label_run
from lovt_tui.listing.filtering import Filter, parse_filter
from lovt_tui.listing.run_order import click_sort, describe_queue, next_sort, order, turn_sort
from lovt_tui.listing.run_view import RunChoice
from lovt_tui.reading.snapshot import RunDetail, Snapshot, choose_metrics
from lovt_tui.widgets.chart_drawing import draw_chart
from lovt_tui.widgets.chart_layers import Company, build_layers, choose_tones, find_seeds, is_stack
from lovt_tui.widgets.chart_options import ChartOptions
from lovt_tui.widgets.share_drawing import describe_shares, draw_shares
from tests.tui.factories import NOW, FakeIndex, make_app, make_curve, make_row, wait_for


def curve(metric, *values):
    steps = tuple(range(1, len(values) + 1))
    return Curve(metric, steps, steps, steps, values)


def detail(*curves, beside=()):
    return RunDetail("own", tuple(c.metric for c in curves), curves, (), (), 0, "", beside)


def text_of(rows):
    return ["".join(cell.text for cell in row) for row in rows]


def test_pinned_and_marked_runs_lie_behind_the_own_curve():
    found = detail(curve("val/loss", 3.0, 2.0), beside=(("base", (curve("val/loss", 5.0, 4.0),)), ("other", ())))
    (layers,) = build_layers(found, Company("base", ("other",)), {"base": "baseline"})
    assert [(layer.label, layer.marker, layer.tone) for layer in layers] == [
        ("", "", "accent"),
        ("baseline", "P", "dim"),
    ]
    rows = text_of(draw_chart(layers, ChartOptions(), (40, 10)))
    assert sum(row.count("P") for row in rows) == 1
    assert sum(row.count("◆") for row in rows) == 1
    assert rows[-1].strip().endswith("step")


def test_the_mean_of_seeds_has_a_band_and_hides_its_members():
    beside = (("two", (curve("train/loss", 5.0, 3.0, 1.0),)), ("three", (curve("train/loss", 6.0, 4.0),)))
    company = Company(seeds=("two", "three"), mode="mean")
    (layers,) = build_layers(detail(curve("train/loss", 4.0, 2.0, 0.0), beside=beside), company, {})
    assert len(layers) == 1
    assert layers[0].label == "mean of 3 seeds"
    tones = {cell.tone for row in draw_chart(layers, ChartOptions(), (40, 10)) for cell in row if "⠀" not in cell.text}
    assert {"dim", "accent"} <= tones


def test_each_seed_has_a_letter_and_keeps_its_tone():
    beside = tuple((name, (curve("train/loss", 5.0, float(n)),)) for n, name in enumerate(("two", "three")))
    company = Company(seeds=("two", "three"), mode="seeds")
    (layers,) = build_layers(detail(curve("train/loss", 4.0, 2.0), beside=beside), company, {})
    assert [layer.marker for layer in layers] == ["", "A", "B"]
    assert len({layer.tone for layer in layers}) == 3
    assert choose_tones(["two"])["two"] == choose_tones(["two", "three"])["two"]


def test_seeds_are_runs_of_the_same_experiment():
    one, two = (
        make_row(name, experiment={"method": {"name": "lovt"}, "seed": seed}) for name, seed in (("a", 1), ("b", 2))
    )
    other = make_row("c", experiment={"method": {"name": "clip"}, "seed": 1})
    assert find_seeds(one, (one, two, other)) == (two.id,)


@given(
    st.lists(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20), min_size=1, max_size=6)
)
def test_shares_fill_their_box_whatever_they_are(values):
    curves = [curve(f"train/share/{n}", *each) for n, each in enumerate(values)]
    (layers,) = build_layers(detail(*curves), Company(), {})
    assert is_stack(layers)
    assert {len(row) for row in text_of(draw_shares(layers, (30, 8)))} == {30}


def test_shares_are_as_high_as_they_are_large():
    curves = (curve("train/share/global", 0.5, 0.5), curve("train/share/regions", 0.5, 0.5))
    (layers,) = build_layers(detail(*curves), Company(), {})
    columns = np.array([list(row[5:]) for row in text_of(draw_shares(layers, (25, 8)))])
    assert (columns == "█").mean() == (columns == "▓").mean() == 0.5
    assert describe_shares(layers) == "█ global 50% ▓ regions 50%"
    names = ("train/loss", "train/share/global", "train/share/regions", "val/loss", "val/accuracy")
    assert choose_metrics(names, 3) == ("val/loss", "train/loss", "train/share/global", "train/share/regions")


def test_sort_orders():
    rows = (make_row("b", created=1.0), make_row("a", created=3.0), make_row("c", created=2.0, best={"val/loss": 1.0}))
    assert [row.name for row in order(rows, "name")] == ["a", "b", "c"]
    assert [row.name for row in order(rows, "-name")] == ["c", "b", "a"]
    assert next(row.name for row in order(rows, "best")) == "c"
    assert [row.name for row in order(rows, "")] == ["b", "a", "c"]
    assert order(rows, "latest.no") == rows
    assert next_sort("") == "name"
    assert turn_sort("name") == "-name"
    assert turn_sort("") == ""
    assert click_sort("name", "name") == "-name"
    assert click_sort("-name", "best") == "best"
    sort = ""
    seen = []
    while (sort := next_sort(sort)) not in seen:
        seen.append(sort)
    assert "" in seen


@pytest.mark.parametrize(("slots", "expected"), [(1, "2 · ~3h00m"), (2, "2 · ~2h00m")])
def test_the_queue_says_when_it_will_be_empty(slots, expected):
    done = make_row("done", started=0.0, ended=3600.0)
    running = make_row("running", "running", seconds_left=3600.0)
    rows = (running, make_row("q1", "queued"), make_row("q2", "queued"), done)
    assert describe_queue(rows, slots) == expected
    assert describe_queue((running,), 1) == "0"


def test_the_queue_says_no_time_that_nothing_tells():
    done = make_row(
        "done", started=0.0, ended=6.0, experiment={"method": {"name": "lovt"}, "training": {"max_epochs": 2}}
    )
    other = make_row("q", "queued", experiment={"method": {"name": "byol"}, "training": {"max_epochs": 400}})
    assert describe_queue((other, done), 1) == "1"
    longer = make_row("q", "queued", experiment={"method": {"name": "lovt"}, "training": {"max_epochs": 400}})
    assert describe_queue((longer, replace(done, epoch=2.0)), 1) == "1 · ~20m00s"


def test_the_choice_of_runs_is_kept_while_nothing_has_changed():
    choice, runs = RunChoice(), (make_row("b", kind="selftest", id="2"), make_row("a", kind="selftest", id="1"))
    snapshot, wanted = Snapshot(NOW, runs), parse_filter("a")
    chosen = choice.choose(snapshot, wanted, "")
    assert chosen == tuple(row for row in runs if row.name == "a")
    assert choice.choose(replace(snapshot, is_paused=True), wanted, "") is chosen
    assert choice.choose(snapshot, Filter(), "name") == runs[::-1]
    assert choice.choose(replace(snapshot, runs=runs[:1]), Filter(), "name") == runs[:1]
    assert choice.choose(replace(snapshot, now=NOW + 86_400.0), parse_filter("age<1d"), "") == ()


def test_repetitions_are_told_apart_by_their_seed():
    assert label_run(make_row("quick", group="g", experiment={"seed": 7})) == "quick · seed 7"
    assert label_run(make_row("quick", experiment={"seed": 7})) == "quick"


async def test_marks_pin_and_sort_on_the_list(tmp_path):
    rows = [make_row(name, "running", id=f"20260901-120000-{name}-0001") for name in ("a", "b", "c")]
    index = FakeIndex(*rows)
    for row in rows:
        index.curves[row.id] = [make_curve("val/loss"), make_curve("train/loss")]
    async with make_app(index, tmp_path).run_test(notifications=True, size=(120, 40)) as pilot:
        await wait_for(pilot, "⠉")
        await pilot.press("p")
        await wait_for(pilot, "P a")
        await pilot.press("j", "space")
        await wait_for(pilot, " *● running")
        shown = await wait_for(pilot, "val/loss · P a · A b")
        assert "▸ ● running" in shown
        await pilot.press("space", "x")
        await wait_for(pilot, "Stop 2 runs?")
        await pilot.press("n", "d")
        await wait_for(pilot, "b | c")
        await pilot.press("escape", "escape")
        await wait_for(pilot, lambda text: " *●" not in text)
        await pilot.press("d")
        await wait_for(pilot, "a | c")
        await pilot.press("escape", "enter")
        await wait_for(pilot, "[charts]")
        await wait_for(pilot, "val/loss · P a")
        await pilot.press("escape")
        await wait_for(pilot, "[1 Runs]")
        await pilot.press("s", "S")
        shown = await wait_for(pilot, "run↓")
        assert shown.index(" c ") < shown.index(" b ")
        await pilot.click("RunTable", offset=(18, 0))
        await wait_for(pilot, "run↑")


async def test_seeds_on_the_run_screen(tmp_path):
    rows = [
        make_row(f"seed-{n}", "running", experiment={"seed": n, "method": {"name": "lovt"}}, created=float(n))
        for n in (1, 2, 3)
    ]
    index = FakeIndex(*rows)
    for row in rows:
        index.curves[row.id] = [make_curve("train/loss")]
    async with make_app(index, tmp_path).run_test(notifications=True, size=(120, 40)) as pilot:
        await wait_for(pilot, "seed-1")
        await pilot.press("enter")
        await wait_for(pilot, "o seeds")
        await pilot.press("o")
        await wait_for(pilot, "A seed-2 · B seed-3")
        await pilot.press("o")
        await wait_for(pilot, "mean of 3 seeds")
        await pilot.press("o")
        await wait_for(pilot, lambda text: "seed-2" not in text and "mean of" not in text)


async def test_a_new_alarm_surfaces_at_once(index, tmp_path):
    index.put(*(replace(row, alarms=()) for row in index.rows))
    async with make_app(index, tmp_path).run_test(notifications=True, size=(100, 30)) as pilot:
        await wait_for(pilot, "⠉")
        from lovt_core.runs.records import StandingAlarm

        running, *rest = index.rows
        alarm = StandingAlarm(5.0, "embedding collapse since epoch 3")
        index.put(replace(running, alarms=(alarm,)), *rest)
        shown = await wait_for(pilot, "tau03: embedding collapse since epoch 3")
        assert "! tau03" in shown


async def test_an_alarm_that_holds_stays_in_sight_when_the_run_has_ended(index, tmp_path):
    from lovt_core.runs.records import StandingAlarm

    alarm = StandingAlarm(5.0, "embedding collapse since epoch 2", "collapse of image/std")
    index.put(make_row("flat", "finished", done=100, alarms=(alarm,)), make_row("sound", "finished", done=100))
    async with make_app(index, tmp_path).run_test(size=(100, 30)) as pilot:
        shown = await wait_for(pilot, "! flat")
        assert "! sound" not in shown
        await pilot.press("enter")
        await wait_for(pilot, "! embedding collapse since epoch 2")
