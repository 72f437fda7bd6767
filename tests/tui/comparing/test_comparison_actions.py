"""Gaps of the comparison filled, and its exports."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from lovt_core.errors import InputError
from lovt_core.runs.directory import list_runs
from lovt_tui.actions.compare import ExportOrder, FillScope, export_comparison, fill_gaps, offer_filling
from lovt_tui.cli.export import app
from lovt_tui.comparing.offer import describe_total, offer_lines
from lovt_tui.pages.wishes import ComparisonWish
from tests.core.results.evaluated import add_evaluation, make_evaluated

WISH = ComparisonWish()


def text_of(lines):
    return "\n".join("".join(cell.text for cell in line) for line in lines)


@pytest.fixture
def real(tmp_path, monkeypatch):
    return make_evaluated(tmp_path, monkeypatch)


def test_offer_names_evaluations_tasks_and_what_is_left_out(real):
    add_evaluation(real, "gone.safetensors")
    offer = offer_filling(real, FillScope(("covid", "siim")))
    text = text_of(offer_lines(offer))
    assert describe_total(offer) == "Queue 2 evaluations with 4 tasks?"
    assert "random  run eval-random, split auto\n  covid-unet-finetuned\n  covid-unet-frozen" in text
    assert "left out: gone.safetensors" in text
    assert "not prepared: lovt data prepare siim" in text


def test_exactly_the_offered_cells_are_queued_once(real):
    offer = offer_filling(real, FillScope(("covid",), "imagenet"))
    assert "1 evaluation queued" in fill_gaps(real, offer)
    (run,) = [run for run in list_runs(real) if run.experiment().tasks != ("covid-linear",)]
    assert run.experiment().tasks == ("covid-unet-finetuned", "covid-unet-frozen")
    assert run.experiment().encoder.source == "imagenet"
    with pytest.raises(InputError, match="has changed since"):
        fill_gaps(real, offer)
    assert len(list_runs(real)) == 3
    again = offer_filling(real, FillScope(("covid",), "imagenet"))
    assert again.plan.evaluations == ()
    assert "in hand already: imagenet: covid-unet-finetuned (queued)" in text_of(offer_lines(again))


def test_a_row_that_cannot_be_run_again_is_refused(real):
    with pytest.raises(InputError, match="'imagen' has no finished evaluation"):
        offer_filling(real, FillScope(("covid",), "imagen"))


@pytest.mark.parametrize("table_format", ["csv", "json", "md", "latex", "html", "sqlite"])
def test_export_writes_what_the_command_writes(real, tmp_path, table_format):
    paths = [tmp_path / name for name in ("ours", "theirs")]
    wish = ComparisonWish(published=True, tasks=("covid",), pin="imagenet")
    said = export_comparison(real, ExportOrder(wish, table_format, paths[0], with_significance=True))
    options = ["--published", "--task", "covid", "--pin", "imagenet", "--significance", "--interval", "student"]
    result = CliRunner().invoke(
        app, [*options, "--format", table_format, "--out", str(paths[1]), "--workspace", str(real.path)]
    )
    assert result.exit_code == 0, result.output
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert "rows written to" in said


def test_export_replaces_only_what_may_be_replaced(real, tmp_path):
    order = ExportOrder(WISH, "csv", tmp_path / "table.csv")
    order.path.write_text("mine")
    with pytest.raises(InputError, match="exists"):
        export_comparison(real, order)
    assert order.path.read_text() == "mine"
    export_comparison(real, replace(order, replace=True))
    assert "imagenet" in order.path.read_text()
    with pytest.raises(InputError, match="there is no folder"):
        export_comparison(real, replace(order, path=tmp_path / "no" / "table.csv"))
    with pytest.raises(InputError, match="is a folder"):
        export_comparison(real, replace(order, path=tmp_path))
