"""The comparison laid out: what stands in the cells, and which columns are in sight."""

import pytest

from lovt_tui.comparing.grid import build_grid
from lovt_tui.comparing.legend import describe_signs, note_lines
from lovt_tui.comparing.window import build_window, heading_cells
from lovt_tui.pages.comparison import ComparisonReader
from lovt_tui.pages.wishes import ComparisonWish
from tests.core.results.comparison_factories import HOSTILE, column, comparison, row, score
from tests.tui.comparing.comparison_factories import make_half_filled, make_wide, make_workspace

WISH = ComparisonWish()


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "lab")


def text_of(lines):
    return "\n".join("".join(cell.text for cell in line) for line in lines)


def look(grid, label, task):
    place = next(each.place for each in grid.columns if each.task == task)
    return next(each for each in grid.rows if each.label == label).looks[place]


class TestGrid:
    def grid(self, workspace, **options):
        return build_grid(ComparisonReader(workspace).read(WISH, make_half_filled()).comparison, **options)

    def test_signs_and_words_tell_entries_apart(self, workspace):
        grid = self.grid(workspace)
        assert look(grid, "lovt-100", "covid-unet-finetuned").text.strip() == "● running"
        assert look(grid, "lovt-100", "siim-unet-frozen").text.strip() == "✘ failed"
        assert look(grid, "lovt-100", "rsna-linear-100").text.strip() == "◐ queued"
        assert look(grid, "random", "nih-linear").text.strip() == "–"
        assert look(grid, "lovt-100", "rsna-linear-1").text.strip().startswith("◆57.0 ± 1.0")
        assert look(grid, "imagenet", "rsna-linear-1").text.strip().startswith("◇49.0 ± 1.0")
        quick = next(each for each in grid.rows if each.label == "random-fitted")
        assert [each.text.strip() for each in quick.looks if "n=" in each.text] == ["◆52.0 n=1"]

    def test_all_looks_of_a_column_are_as_wide_as_it(self, workspace):
        grid = self.grid(workspace)
        for each in grid.columns:
            assert {len(row.looks[each.place].text) for row in grid.rows if row.looks} == {each.width}

    def test_decimal_points_stand_under_each_other(self, workspace):
        grid = self.grid(workspace)
        texts = [row.looks[0].text for row in grid.rows if row.looks and "." in row.looks[0].text]
        assert len({text.index(".") for text in texts}) == 1

    def test_headings_name_head_mode_share_and_marks(self, workspace):
        grid = self.grid(workspace)
        headings = {each.task: each for each in grid.columns if "quick" not in each.heading}
        assert headings["rsna-linear-1"].heading[:3] == ("linear", "frozen", "1 %")
        assert headings["covid-unet-finetuned"].heading[:2] == ("U-Net", "fine-tuned")
        assert headings["covid-linear"].metric == "Dice (%)"
        assert headings["nih-linear"].data == "NIH CXR"
        assert any("quick" in each.heading for each in grid.columns)
        assert headings["siim-unet-frozen"].heading == ("U-Net", "frozen", "auto split")  # not known before it is run
        assert grid.common_marks == ("published split",)

    def test_the_split_of_most_columns_is_said_once(self, workspace):
        table = ComparisonReader(workspace).read(WISH, make_wide(2)).comparison
        grid = build_grid(table)
        assert grid.common_marks == ("published split",)
        assert all("split" not in each.heading for each in grid.columns)
        assert "published split unless said" in describe_signs(table, grid, with_significance=False)

    def test_words_filter_labels_and_groups(self, workspace):
        grid = self.grid(workspace, words="general RANDOM")
        assert [each.label for each in grid.rows if each.place is not None] == ["random", "random-fitted"]
        assert (grid.num_rows, grid.num_hidden) == (2, 2)
        assert self.grid(workspace, words="nothing").rows == ()

    def test_pin_shows_differences_and_significance_marks_them(self):
        columns = (column(),)
        base, better = score(0.5), score(0.7, difference=0.2, p_value=0.001, rank=1)
        table = comparison(columns, row("a", base), row("b", better), pin="a")
        plain = build_grid(table)
        assert plain.rows[1].is_pin
        assert plain.rows[2].looks[0].text.endswith("+20.0")
        marked = build_grid(table, with_significance=True)
        assert marked.rows[2].looks[0].text.endswith("+20.0*")
        assert "* p < 0.05" in describe_signs(table, marked, with_significance=True)

    @pytest.mark.parametrize("label", HOSTILE)
    def test_labels_cannot_steer_the_terminal(self, label):
        table = comparison((column(marks=(label,)),), row(label, score(notes=(label,)), group=label))
        grid = build_grid(table)
        shown = [
            *(each.label for each in grid.rows),
            *grid.columns[0].heading,
            text_of(note_lines(table, with_significance=False)),
        ]
        assert not any(sign in text for text in shown for sign in ("\x1b", "\x00", "\u202e", "\t"))

    def test_forty_rows_by_eighteen_columns(self, workspace):
        grid = build_grid(ComparisonReader(workspace).read(WISH, make_wide(40)).comparison)
        assert (grid.num_rows, len(grid.columns)) == (40, 18)


class TestWindow:
    def test_every_column_can_be_brought_into_sight(self, workspace):
        grid = build_grid(ComparisonReader(workspace).read(WISH, make_wide(3)).comparison)
        first = 0
        for cursor in (*range(18), *reversed(range(18))):
            window = build_window(grid, 76, cursor, first)
            first = window.num_left
            places = [each.place for each in window.columns]
            assert cursor in places
            assert window.num_left + len(places) + window.num_right == 18
            assert window.label_width + sum(2 + each.width for each in window.columns) <= 76
        assert first == 0

    def test_no_room_is_wasted_after_the_terminal_grew(self, workspace):
        grid = build_grid(ComparisonReader(workspace).read(WISH, make_wide(3)).comparison)
        narrow = build_window(grid, 40, 17, 0)
        assert len(narrow.columns) == 1
        wide = build_window(grid, 400, 17, narrow.num_left)
        assert len(wide.columns) == 18

    def test_headings_span_a_data_set_and_columns_are_found_by_their_place(self, workspace):
        grid = build_grid(ComparisonReader(workspace).read(WISH, make_wide(3)).comparison)
        window = build_window(grid, 116, 9, 6)
        line = "".join(cell.text for cell in heading_cells(grid, window, 0))
        assert line.startswith("← ")
        assert "COVID Rural" in line
        start = window.label_width
        assert window.column_at(start - 1) is None
        assert window.column_at(start + 3) == window.columns[0].place
        assert window.column_at(start + 2 + window.columns[0].width + 1) == window.columns[1].place
        assert window.column_at(1000) is None
