"""What is said of one entry of the comparison."""

from dataclasses import replace

import pytest

from lovt_core.errors import InputError
from lovt_core.results.comparison import Missing
from lovt_tui.comparing.cell import entry_lines, find_entrance
from lovt_tui.comparing.choices import expand_typed, list_scopes
from lovt_tui.pages.comparison import ComparisonReader
from lovt_tui.pages.wishes import ComparisonWish
from tests.core.results.comparison_factories import column, comparison, row
from tests.tui.comparing.comparison_factories import make_half_filled, make_workspace

WISH = ComparisonWish()


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "lab")


def text_of(lines):
    return "\n".join("".join(cell.text for cell in line) for line in lines)


class TestEntry:
    def entrance(self, workspace, label, task, wish=WISH):
        index = make_half_filled()
        page = ComparisonReader(workspace).read(wish, index)
        rows = [each.label for each in page.comparison.rows]
        columns = [each.task for each in page.comparison.columns]
        return find_entrance(page.comparison, (rows.index(label), columns.index(task)), index.rows, page.results)

    def test_score_says_replicates_search_run_protocol_and_notes(self, workspace):
        entrance = self.entrance(workspace, "lovt-100", "rsna-linear-10")
        text = text_of(entry_lines(entrance))
        assert text.startswith("58.0 ± 1.0  Dice (%), 95 % interval of n = 5  · best of its column")
        assert "3 of 40 test images are also in the pre-training data" in text
        assert "        1    57.00         59.00       1000  8 of 28" in text
        assert "         0.03         63.00  ◀ chosen" in text
        assert "        0.001         60.10\n" in text
        assert entrance.run_id in text
        assert "protocol  full" in text
        assert "split     published" in text
        assert "pre-trained on mimic-cxr" in text

    def test_published_score_has_its_runs_and_no_run_of_ours(self, workspace):
        entrance = self.entrance(workspace, "LoVT (100 %), published", "covid-linear", ComparisonWish(published=True))
        text = text_of(entry_lines(entrance))
        assert "Published by the authors" in text
        assert text.count("\n        ") >= 5
        assert entrance.run_id is None
        assert not entrance.is_own

    @pytest.mark.parametrize(
        ("task", "words"),
        [
            ("covid-unet-finetuned", ("Running: ", "replicate 2", "learning rate 0.0001: validation 60.01 %")),
            ("rsna-linear-100", ("Queued: waits for a free slot",)),
            ("siim-unet-frozen", ("Failed: CUDA out of memory at step 3", "f queues it again")),
            ("nih-linear", ("Not run", "lovt evaluate 20260901-120000-lovt-100-0001 --task nih-linear")),
        ],
    )  # fmt: skip
    def test_missing_score_says_why_and_what_would_bring_it(self, workspace, task, words):
        entrance = self.entrance(workspace, "lovt-100", task)
        text = text_of(entry_lines(entrance))
        for word in words:
            assert word in text

    def test_damaged_results_are_left_out(self, workspace):
        index = make_half_filled()
        for result in index.stored:
            if result.data["type"] == "replicate":
                result.data.update(seed=None, replicate="one")
            elif result.data["type"] == "search":
                result.data.update(validation=None, learning_rates=None)
        page = ComparisonReader(workspace).read(WISH, index)
        for place, line in enumerate(page.comparison.rows):
            for column_place in range(len(line.scores)):
                entrance = find_entrance(page.comparison, (place, column_place), (), page.results)
                assert entry_lines(entrance)

    def test_a_run_whose_directory_is_gone_is_named(self, workspace):
        entrance = replace(self.entrance(workspace, "imagenet", "covid-linear"), run=None)
        assert "its directory is gone" in text_of(entry_lines(entrance))

    def test_scopes_begin_with_what_is_nearest(self, workspace):
        entrance = self.entrance(workspace, "lovt-100", "nih-linear")
        table = make_half_filled()
        page = ComparisonReader(workspace).read(WISH, table)
        texts = [text for text, _ in list_scopes(WISH, page.comparison, entrance)]
        assert texts[0] == "this one: lovt-100 on nih-linear"
        assert texts[-1] == "all rows: all 18 tasks"
        published = self.entrance(workspace, "LoVT (100 %), published", "covid-linear", ComparisonWish(published=True))
        assert all(scope.label is None for _, scope in list_scopes(WISH, page.comparison, published))

    def test_typed_tasks(self):
        assert [task.number for task in expand_typed("12, rsna-linear-*")] == [7, 8, 9, 12]
        with pytest.raises(InputError, match="did you mean 'covid-linear'"):
            expand_typed("covid-liner")


def test_a_row_without_scores_of_its_own_says_so(workspace):
    table = comparison((column(),), row("x", Missing("not run")))
    entrance = find_entrance(table, (0, 0), (), ())
    assert "has none of a run of yours" in text_of(entry_lines(entrance))
