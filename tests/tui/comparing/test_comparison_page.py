"""The comparison's page: what is read when, and what is said of what cannot be read."""

from dataclasses import replace

import pytest

from lovt_tui.pages.comparison import ComparisonReader
from lovt_tui.pages.wishes import ComparisonWish
from tests.tui.comparing.comparison_factories import make_half_filled, make_results, make_wide, make_workspace
from tests.tui.factories import make_row

WISH = ComparisonWish()


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "lab")


class TestReader:
    def test_same_page_while_nothing_changes(self, workspace):
        reader, index = ComparisonReader(workspace), make_half_filled()
        page = reader.read(WISH, index)
        assert reader.read(WISH, index) is page
        assert [row.label for row in page.comparison.rows] == ["random", "random-fitted", "imagenet", "lovt-100"]

    def test_a_training_that_logs_is_no_reason_to_compare(self, workspace):
        reader, index = ComparisonReader(workspace), make_half_filled()
        page = reader.read(WISH, index)
        index.put(make_row("training", "running", updated=1.0), *index.rows)
        assert reader.read(WISH, index) is page
        index.put(*(replace(row, updated=2.0, done=row.done + 1) for row in index.rows))
        assert reader.read(WISH, index) is page

    def test_states_results_and_wishes_make_another_page(self, workspace):
        reader, index = ComparisonReader(workspace), make_half_filled()
        page = reader.read(WISH, index)
        running = next(row for row in index.rows if row.state == "running")
        index.put(*(replace(row, state="failed") if row is running else row for row in index.rows))
        failed = reader.read(WISH, index)
        assert failed is not page
        index.stored = [*index.stored, *make_results(running, "covid-unet-finetuned")]
        index.put(*(replace(row, state="finished") if row.id == running.id else row for row in index.rows))
        scored = reader.read(WISH, index)
        place = next(n for n, each in enumerate(scored.comparison.columns) if each.task == "covid-unet-finetuned")
        assert scored.comparison.rows[-1].scores[place].mean == pytest.approx(0.6)
        published = reader.read(ComparisonWish(published=True), index)
        assert any(row.is_published for row in published.comparison.rows)

    def test_a_run_that_is_gone_takes_its_row_along(self, workspace):
        reader, index = ComparisonReader(workspace), make_half_filled()
        reader.read(WISH, index)
        index.put(*(row for row in index.rows if "random" not in row.name))
        assert [row.label for row in reader.read(WISH, index).comparison.rows] == ["imagenet", "lovt-100"]

    def test_what_cannot_be_had_is_said_and_left_out(self, workspace):
        reader, index = ComparisonReader(workspace), make_half_filled()
        page = reader.read(ComparisonWish(pin="nobody", tasks=("covid-liner",)), index)
        assert "no row is called 'nobody'" in page.problem
        assert "unknown task 'covid-liner'" in page.problem
        assert page.comparison.pin is None
        assert len(page.comparison.rows) == 4

    def test_a_damaged_file_of_imported_results_is_named_and_the_rest_shown(self, workspace):
        reader, index = ComparisonReader(workspace), make_half_filled()
        whole = reader.read(WISH, index)
        folder = workspace.path / "results"
        folder.mkdir()
        (folder / "theirs.csv").write_text("label,task,replicate,score\nours,covid-linear,1,0.5\n")
        page = reader.read(WISH, index)
        assert any(row.label == "ours, imported" for row in page.comparison.rows)
        (folder / "theirs.csv").write_text("label,task,replicate,score\nours,covid-linear,1,many\n")
        page = reader.read(WISH, index)
        assert "imported results are left out" in page.problem
        assert "theirs.csv" in page.problem
        assert page.comparison.rows == whole.comparison.rows

    def test_a_cell_of_a_later_version_is_said(self, workspace):
        reader, index = ComparisonReader(workspace), make_half_filled()
        index.stored = [replace(each, data={"type": "cell", "task": "x"}) for each in index.stored[:1]] + index.stored
        assert "holds results that this version cannot read" in reader.read(WISH, index).problem

    def test_results_of_one_run_are_read_alone(self, workspace):
        reader, index = ComparisonReader(workspace), make_wide(12)
        asked = []
        plain = index.results
        index.results = lambda run_id=None: asked.append(run_id) or plain(run_id)
        reader.read(WISH, index)
        assert asked == [None]
        index.put(replace(index.rows[0], updated=5.0), *index.rows[1:])
        reader.read(WISH, index)
        assert asked == [None, index.rows[0].id]
