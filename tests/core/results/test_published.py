"""The paper's scores and runs: complete, equal to the reference, consistent with each other, and where they stand."""

import csv

import pytest

from lovt_core.results.best_cells import describe_best_cells, judge_best_cells
from lovt_core.results.cells import collect_cells
from lovt_core.results.comparison import ComparisonOptions, Missing, Score, compare
from lovt_core.results.notes import UNKNOWN_RUNS_NOTE
from lovt_core.results.published import PublishedScore, load_published
from lovt_core.results.significance import compute_half_width
from lovt_core.tasks import TASKS, expand_tasks
from tests.core.results.factories import stored_cell

SCORES = load_published()
WITH_RUNS = [score for score in SCORES if score.values]


def table(*results, **options):
    return compare(collect_cells(results), SCORES, options=ComparisonOptions(**options))


def score(values, label="A", mean=None, task=1):
    return PublishedScore(label, None, task, round(sum(values) / 5, 3) if mean is None else mean, 0.01, tuple(values))


class TestFiles:
    def test_all_288_cells_are_there(self):
        assert len(SCORES) == 288
        assert {score.task_number for score in SCORES} == set(range(1, 19))
        lovt = {score.task_number: score for score in SCORES if score.label == "LoVT (100 %)"}
        random = next(score for score in SCORES if score.label == "Random" and score.task_number == 12)
        assert len(lovt) == 18
        assert (random.mean, random.ci95) == (pytest.approx(0.06), 0.0)

    def test_runs_are_known_but_for_clip_pixelpro_and_one_cell(self):
        unknown = {(score.label, score.task_number) for score in SCORES if not score.values}
        methods = [f"{method} ({percent} %)" for method in ("CLIP", "PixelPro") for percent in (30, 100)]
        assert unknown == {("BYOL (30 %)", 5)} | {(method, task) for method in methods for task in range(1, 19)}
        assert len(WITH_RUNS) == 215

    @pytest.mark.parametrize("known", WITH_RUNS, ids=lambda known: f"{known.label}-{known.task_number}")
    def test_runs_give_the_printed_mean_and_interval_without_exception(self, known):
        mean = 100 * sum(known.values) / 5
        half_width = 100 * compute_half_width(known.values, "published")
        assert f"{mean:.1f} ± {half_width:.1f}" == f"{100 * known.mean:.1f} ± {100 * known.ci95:.1f}"

    @pytest.mark.vectors
    def test_equal_the_reference(self, vectors_folder):
        with (vectors_folder.parent / "published_results.csv").open() as file:
            reference = {
                (row["method"], row["pretrain_data"], int(row["task_id"])): (float(row["mean"]), float(row["ci95"]))
                for row in csv.DictReader(file)
            }
        with (vectors_folder.parent / "published_runs.csv").open() as file:
            runs = {
                (row["method"], row["pretrain_data"], int(row["task_id"])): tuple(
                    float(row[f"run_{number}"]) for number in range(1, 6)
                )
                for row in csv.DictReader(file)
                if row["reported"] == "yes"
            }
        assert len(runs) == len(WITH_RUNS)
        for each in SCORES:
            percent = "none" if each.pretraining_percent is None else str(each.pretraining_percent)
            key = (each.method, percent, each.task_number)
            assert (100 * each.mean, 100 * each.ci95) == pytest.approx(reference[key])
            assert each.values == runs.get(key, ())


class TestTable:
    def test_stand_beside_the_published_split_of_the_genuine_data_only(self):
        comparison = table(stored_cell("1"))
        assert len(comparison.columns) == 1
        assert len(comparison.rows) == 1 + 16
        random = {row.label: row.scores[0] for row in comparison.rows}["Random, published"]
        assert (random.mean, random.num_replicates, len(random.values)) == (pytest.approx(0.06, abs=5e-4), 5, 5)

    @pytest.mark.parametrize(
        "change",
        [
            {"data": {"genuine": False}},
            {"data": {"split": "patient:0"}},
            {"protocol": {"name": "adapted", "marks": ["96 px"]}},
            {"protocol": {"name": "quick", "marks": ["5 epochs"]}},
        ],
    )
    def test_otherwise_have_their_own_column(self, change):
        comparison = table(stored_cell("1", **change))
        own, published = comparison.columns
        assert (own.is_published, published.is_published) == (False, True)
        assert published.marks == ("published split",)
        by_label = {row.label: row.scores for row in comparison.rows}
        assert [isinstance(entry, Score) for entry in by_label["random"]] == [True, False]
        assert by_label["Random, published"][0] == Missing("not run")

    def test_all_tasks_are_shown_without_any_evaluation(self):
        comparison = table()
        assert [column.task for column in comparison.columns] == [task.id for task in TASKS]
        assert len(comparison.rows) == 16
        assert all(isinstance(entry, Score) for row in comparison.rows for entry in row.scores)
        data = [column.data for column in comparison.columns]
        assert data == sorted(data, key=["rsna", "covid-rural", "siim", "object-cxr", "nih-cxr"].index)

    def test_tasks_asked_for_are_shown_evaluated_or_not(self):
        comparison = table(stored_cell("1"), tasks=expand_tasks(["covid"]))
        assert [column.task for column in comparison.columns] == [task.id for task in expand_tasks(["covid"])]

    @pytest.mark.parametrize("place", range(18))
    def test_best_and_second_are_those_of_the_printed_numbers(self, place):
        printed = {each.label: each.mean for each in SCORES if each.task_number == place + 1}
        first, second = sorted(set(printed.values()), reverse=True)[:2]
        for row in table().rows:
            expected = {first: 1, second: 2}.get(printed[row.label.removesuffix(", published")])
            assert row.scores[place].rank == expected

    def test_interval_of_the_paper_reproduces_every_printed_number(self):
        for row in table(interval="published").rows:
            for number, entry in enumerate(row.scores, start=1):
                label = row.label.removesuffix(", published")
                each = next(each for each in SCORES if (each.label, each.task_number) == (label, number))
                assert (f"{100 * entry.mean:.1f}", f"{100 * entry.ci95:.1f}") == (
                    f"{100 * each.mean:.1f}",
                    f"{100 * each.ci95:.1f}",
                )

    def test_unknown_runs_keep_the_papers_interval_and_say_so(self):
        by_label = {row.label: row.scores[0] for row in table().rows}
        clip, convirt = by_label["CLIP (30 %), published"], by_label["ConVIRT (30 %), published"]
        assert (clip.values, clip.notes) == ((), (UNKNOWN_RUNS_NOTE,))
        assert clip.ci95 == next(each.ci95 for each in SCORES if each.label == "CLIP (30 %)")
        assert convirt.ci95 == pytest.approx(compute_half_width(convirt.values, "student"))

    def test_duplicates_are_flagged_as_in_the_protocol(self):
        distinct = (5, 3, 2, 5, 2, 2, 5, 5, 5, 5, 5, 5, 5, 5, 4, 3, 5, 5)
        scores = next(row.scores for row in table().rows if row.label == "LoVT (30 %), published")
        for number, entry in zip(distinct, scores, strict=True):
            expected = [] if number == 5 else [f"{number} different scores among 5 replicates"]
            assert [note.partition(",")[0] for note in entry.notes] == expected

    def test_are_tested_against_ones_own(self):
        comparison = table(stored_cell("1", mean=0.32), pin="random")
        by_label = {row.label: row.scores[0] for row in comparison.rows}
        assert by_label["LoVT (30 %), published"].is_significant
        assert by_label["LoVT (30 %), published"].is_exploratory
        assert by_label["CLIP (30 %), published"].p_value is None

    def test_summary_counts_the_best_cells_only_beside_published_rows(self):
        assert any("4 of the paper's 18 best cells stand" in line for line in table().summary)
        own = compare(collect_cells([stored_cell("1")]))
        assert not any("stand" in line for line in own.summary)


class TestBestCells:
    def test_of_the_paper(self):
        cells = judge_best_cells(SCORES)
        assert [cell.task_number for cell in cells if cell.stands] == [7, 8, 9, 18]
        assert [cell.task_number for cell in cells if cell.p_value is None] == [4, 12, 13, 14, 15, 16, 17]
        assert "4 of the paper's 18 best cells stand" in describe_best_cells(cells)
        assert "7 cannot be tested" in describe_best_cells(cells)

    def test_overlapping_runs_do_not_stand(self):
        pair = (score([0.5, 0.6, 0.55, 0.52, 0.58]), score([0.5, 0.59, 0.55, 0.53, 0.56], "B"))
        (cell,) = judge_best_cells(pair)
        assert not cell.stands
        assert cell.p_value is not None

    def test_a_row_that_prints_like_the_second_and_has_no_runs_prevents_the_test(self):
        best, second = score([0.9, 0.91, 0.9, 0.92, 0.9]), score([0.5, 0.51, 0.5, 0.52, 0.5], "B")
        assert judge_best_cells((best, second))[0].stands
        tied = score([], "C", mean=second.mean)
        assert judge_best_cells((best, second, tied))[0].p_value is None
        below = score([], "C", mean=second.mean - 0.001)
        assert judge_best_cells((best, second, below))[0].stands

    def test_correction_counts_the_tasks_that_cannot_be_tested(self):
        pair = (score([0.5, 0.6, 0.55, 0.52, 0.58]), score([0.45, 0.5, 0.48, 0.5, 0.47], "B"))
        alone = judge_best_cells(pair)[0].p_value
        others = [score([], label, mean, task) for task in range(2, 5) for label, mean in (("A", 0.4), ("B", 0.3))]
        assert judge_best_cells((*pair, *others))[0].p_value == pytest.approx(4 * alone)
