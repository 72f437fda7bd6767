"""What may share a column, which scores are shown, and what must be said beside them."""

import pytest

from lovt_core.results.cells import collect_cells
from lovt_core.results.comparison import compare
from lovt_core.results.published import load_published
from lovt_core.runs.records import StoredResult
from tests.core.results.factories import encoder, stored_cell


def table(*results, published=()):
    return compare(collect_cells(results), published)


def means(comparison):
    return {row.label: [None if score is None else score.mean for score in row.scores] for row in comparison.rows}


def test_equal_conditions_share_a_column():
    comparison = table(stored_cell("1"), stored_cell("2", encoder=encoder("imagenet"), mean=0.5))
    assert len(comparison.columns) == 1
    assert means(comparison) == {"random": [0.32], "imagenet": [0.5]}
    assert [row.scores[0].is_best for row in comparison.rows] == [False, True]


@pytest.mark.parametrize(
    ("change", "mark"),
    [
        ({"data": {"fingerprint": "d1", "genuine": False}}, "other data"),
        ({"data": {"fingerprint": "d1", "genuine": False, "synthetic": True}}, "synthetic data"),
        ({"data": {"split": "patient:0", "split_fingerprint": "s1"}}, "patient:0 split"),
        ({"protocol": {"name": "quick", "fingerprint": "p1", "marks": ["5 epochs"]}}, "quick"),
        ({"protocol": {"name": "adapted", "fingerprint": "p1", "marks": ["stride 16", "96 px"]}}, "stride 16"),
    ],
)
def test_other_conditions_have_their_own_column_that_says_so(change, mark):
    comparison = table(stored_cell("1"), stored_cell("2", encoder=encoder("imagenet"), **change))
    assert len(comparison.columns) == 2
    marked = [column for column in comparison.columns if mark in column.marks]
    assert len(marked) == 1
    assert not marked[0].is_published
    position = comparison.columns.index(marked[0])
    assert means(comparison)["imagenet"][position] == 0.32
    assert means(comparison)["random"][position] is None


def test_columns_that_would_read_alike_are_told_apart():
    comparison = table(stored_cell("1"), stored_cell("2", data={"fingerprint": "d1234567"}))
    assert len(comparison.columns) == 2
    first, second = (column.marks for column in comparison.columns)
    assert first != second
    assert any("d123" in mark for mark in (*first, *second))


def test_newest_evaluation_is_shown_and_said_so():
    comparison = table(stored_cell("1", mean=0.1), stored_cell("2", mean=0.2))
    assert means(comparison) == {"random": [0.2]}
    assert comparison.rows[0].scores[0].notes == ("the newest of 2 evaluations",)


def test_a_resumed_run_counts_once():
    comparison = table(stored_cell("1", attempt=2, mean=0.2), stored_cell("1", attempt=1, mean=0.1))
    assert means(comparison) == {"random": [0.2]}
    assert comparison.rows[0].scores[0].notes == ()


def test_other_weights_under_one_label_are_other_rows():
    comparison = table(stored_cell("1"), stored_cell("2", encoder=encoder("random", "cccccccc"), mean=0.2))
    assert means(comparison) == {"random [aaaaaa]": [0.32], "random [cccccc]": [0.2]}


def test_backbone_tells_rows_apart_where_it_can():
    comparison = table(
        stored_cell("1"), stored_cell("2", encoder=encoder("random", "cccccccc", backbone="efficientnet_lite0"))
    )
    assert list(means(comparison)) == ["random (resnet50)", "random (efficientnet_lite0)"]


def test_overlap_and_duplicates_are_said():
    comparison = table(
        stored_cell("1", overlap={"data": ["covid-chestxray"], "num_images": 5, "num_test_images": 11}),
        stored_cell("2", encoder=encoder("imagenet"), duplicates=[[0, 2, 3]]),
        stored_cell(
            "3", encoder=encoder("mine"), overlap={"data": ["mimic"], "num_images": None, "num_test_images": 11}
        ),
    )
    notes = [row.scores[0].notes for row in comparison.rows]
    assert notes[0] == ("5 of 11 test images are also in the pre-training data (covid-chestxray)",)
    assert "replicates 1, 3, 4 have the same score" in notes[1][0]
    assert "(mimic) is unknown" in notes[2][0]


def test_damaged_cells_are_named_and_the_others_shown():
    broken = StoredResult("2", "eval", 1, {"type": "cell", "task": "covid-linear"})
    comparison = table(stored_cell("1"), broken, StoredResult("3", "eval", 1, {"type": "replicate"}))
    assert comparison.unreadable == ("2",)
    assert list(means(comparison)) == ["random"]


def test_unknown_tasks_of_later_versions_are_shown_last():
    comparison = table(stored_cell("1", task="new-task"), stored_cell("2"))
    assert [column.task for column in comparison.columns] == ["covid-linear", "new-task"]


def test_nothing_gives_an_empty_table():
    assert table().rows == table().columns == ()


class TestPublished:
    def test_all_288_cells_are_there(self):
        scores = load_published()
        assert len(scores) == 288
        assert {score.task_number for score in scores} == set(range(1, 19))
        lovt = {score.task_number: score for score in scores if score.label == "LoVT (100 %)"}
        random = next(score for score in scores if score.label == "Random" and score.task_number == 12)
        assert len(lovt) == 18
        assert (random.mean, random.ci95) == (pytest.approx(0.06), 0.0)

    def test_equal_the_reference(self, vectors_folder):
        import csv

        with (vectors_folder.parent / "published_results.csv").open() as file:
            reference = {
                (row["method"], row["pretrain_data"], int(row["task_id"])): (float(row["mean"]), float(row["ci95"]))
                for row in csv.DictReader(file)
            }
        for score in load_published():
            percent = "none" if score.pretraining_percent is None else str(score.pretraining_percent)
            mean, ci95 = reference[score.method, percent, score.task_number]
            assert (100 * score.mean, 100 * score.ci95) == (pytest.approx(mean), pytest.approx(ci95))

    def test_stand_beside_the_published_split_of_the_genuine_data_only(self):
        comparison = table(stored_cell("1"), published=load_published())
        assert len(comparison.columns) == 1
        assert means(comparison)["Random, published"] == [pytest.approx(0.06)]
        assert len(comparison.rows) == 1 + 16
        assert all("authors" in row.scores[0].notes[0] for row in comparison.rows if row.is_published)

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
        comparison = table(stored_cell("1", **change), published=load_published())
        assert len(comparison.columns) == 2
        own, published = comparison.columns
        assert (own.is_published, published.is_published) == (False, True)
        assert published.marks == ("published split",)
        assert means(comparison)["random"] == [0.32, None]
        assert means(comparison)["Random, published"] == [None, pytest.approx(0.06)]

    def test_are_shown_without_any_evaluation(self):
        comparison = table(published=load_published())
        assert [column.task for column in comparison.columns] == ["covid-linear"]
        assert len(comparison.rows) == 16
        assert sum(row.scores[0].is_best for row in comparison.rows) >= 1
