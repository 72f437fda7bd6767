"""What may share a column, which scores are shown, and what must be said beside them."""

import math

import pytest

from lovt_core.errors import InputError
from lovt_core.results.cells import collect_cells
from lovt_core.results.comparison import ComparisonOptions, Missing, Score, compare
from lovt_core.results.published import load_published
from lovt_core.results.significance import compute_half_width, compute_welch, correct_holm
from lovt_core.runs.records import StoredResult
from lovt_core.tasks import expand_tasks
from tests.core.results.factories import encoder, stored_cell


def table(*results, published=(), **options):
    return compare(collect_cells(results), published, options=ComparisonOptions(**options))


def means(comparison):
    return {
        row.label: [entry.mean if isinstance(entry, Score) else None for entry in row.scores] for row in comparison.rows
    }


def entries(comparison, task):
    """Label -> entry of the only column of a task."""
    (place,) = [place for place, column in enumerate(comparison.columns) if column.task == task]
    return {row.label: row.scores[place] for row in comparison.rows}


def test_equal_conditions_share_a_column():
    comparison = table(stored_cell("1"), stored_cell("2", encoder=encoder("imagenet"), mean=0.5))
    assert len(comparison.columns) == 1
    assert means(comparison) == {"random": [0.32], "imagenet": [0.5]}
    assert [row.scores[0].rank for row in comparison.rows] == [2, 1]


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
    first, second = (encoder("mine", fingerprint) for fingerprint in ("aaaaaaaabbbb", "cccccccc"))
    comparison = table(stored_cell("1", encoder=first), stored_cell("2", encoder=second, mean=0.2))
    assert means(comparison) == {"mine [aaaaaa]": [0.32], "mine [cccccc]": [0.2]}


@pytest.mark.parametrize("source", ["random", "random-fitted"])
def test_random_encoders_are_one_row_whatever_their_weights(source):
    first, second = (encoder(source, fingerprint) for fingerprint in ("of-covid", "of-siim"))
    comparison = table(stored_cell("1", encoder=first), stored_cell("2", task="siim-unet-frozen", encoder=second))
    assert means(comparison) == {source: [0.32, 0.32]}


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
    scores = entries(comparison, "covid-linear")
    notes = [scores[label].notes for label in ("random", "imagenet", "mine")]
    assert notes[0] == ("5 of 11 test images are also in the pre-training data (covid-chestxray)",)
    assert notes[1][0].startswith("3 different scores among 5 replicates")
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


class TestRanks:
    def test_scores_that_print_alike_share_a_rank(self):
        values = {"a": 0.5004, "b": 0.4996, "c": 0.45, "d": 0.4496, "e": 0.1}
        comparison = table(*(stored_cell(name, encoder=encoder(name), mean=mean) for name, mean in values.items()))
        ranks = {label: score.rank for label, score in entries(comparison, "covid-linear").items()}
        assert ranks == {"a": 1, "b": 1, "c": 2, "d": 2, "e": None}

    def test_a_score_that_is_no_number_has_none_and_is_not_tested(self):
        values = {"a": 0.5, "b": math.nan, "c": 0.4, "d": 0.3}
        results = [
            stored_cell(name, encoder=encoder(name), mean=mean, values=[mean] * 2) for name, mean in values.items()
        ]
        scores = entries(table(*results, pin="a"), "covid-linear")
        assert [scores[label].rank for label in "abcd"] == [1, None, 2, None]
        assert scores["b"].p_value is None

    def test_each_column_has_its_own(self):
        comparison = table(
            stored_cell("1", encoder=encoder("a"), mean=0.5),
            stored_cell("2", encoder=encoder("b"), mean=0.4),
            stored_cell("3", encoder=encoder("b"), task="siim-unet-frozen", mean=0.1),
        )
        assert [score.rank for score in entries(comparison, "covid-linear").values()] == [1, 2]
        assert entries(comparison, "siim-unet-frozen") == {"a": Missing("not run"), "b": comparison.rows[1].scores[1]}
        assert comparison.rows[1].scores[1].rank == 1


class TestGroups:
    def test_rows_stand_in_the_order_of_the_paper_and_then_as_they_came(self):
        pretrained = {"pretrained_on": ["openi"]}
        comparison = table(
            stored_cell("1", encoder=encoder("file")),
            stored_cell("2", encoder=encoder("mine", **pretrained)),
            stored_cell("3", encoder=encoder("imagenet")),
            stored_cell("4", encoder=encoder("other", pretrained_on=["mimic-cxr"])),
            stored_cell("5", encoder=encoder("random")),
            stored_cell("6", encoder=encoder("mine too", **pretrained)),
            published=load_published(),
        )
        groups = {}
        for row in comparison.rows:
            groups.setdefault(row.group, []).append(row.label.removesuffix(", published"))
        methods = ["CheXpert", "BYOL", "SimCLR", "PixelPro", "ConVIRT", "CLIP", "LoVT"]
        assert list(groups.items()) == [
            ("general initialisation", ["Random", "ImageNet", "random", "imagenet"]),
            ("30 % of MIMIC-CXR", [f"{method} (30 %)" for method in methods]),
            ("100 % of MIMIC-CXR", [f"{method} (100 %)" for method in methods]),
            ("pre-trained on openi", ["mine", "mine too"]),
            ("pre-trained on mimic-cxr", ["other"]),
            ("other weights", ["file"]),
        ]
        listed = [row.group for row in comparison.rows]
        assert listed == sorted(listed, key=list(groups).index)


class TestInterval:
    def test_of_the_paper_is_recomputed_from_the_replicates(self):
        (score,) = table(stored_cell("1"), interval="published").rows[0].scores
        assert score.ci95 == compute_half_width((0.3, 0.32, 0.31, 0.33, 0.34), "published")
        assert score.ci95 == pytest.approx(0.0196 * 1.96 / 2.776, rel=0.01)

    def test_of_student_is_the_stored_one_and_the_default(self):
        comparison = table(stored_cell("1"))
        assert (comparison.interval, comparison.rows[0].scores[0].ci95) == ("student", 0.0196)


class TestPin:
    RESULTS = (
        stored_cell("1", encoder=encoder("base"), mean=0.32),
        stored_cell("2", encoder=encoder("better"), values=[0.5, 0.52, 0.51, 0.53, 0.5], mean=0.512),
        stored_cell("3", encoder=encoder("alike"), values=[0.31, 0.32, 0.3, 0.33, 0.35], mean=0.322),
        stored_cell("4", encoder=encoder("single"), values=[0.9], mean=0.9, ci95=None),
        stored_cell("5", encoder=encoder("many"), values=[0.2, 0.21, 0.19, 0.2, 0.21, 0.2], mean=0.2),
        stored_cell("6", encoder=encoder("elsewhere"), task="nih-linear"),
    )

    def test_differences_and_corrected_p_values(self):
        comparison = table(*self.RESULTS, pin="base")
        scores = entries(comparison, "covid-linear")
        assert comparison.pin == "base"
        assert scores["base"].difference is scores["base"].p_value is None
        assert scores["better"].difference == pytest.approx(0.192)
        assert scores["elsewhere"] == Missing("not run")
        tested = ("better", "alike", "many")
        raw = [compute_welch(scores[label].values, scores["base"].values) for label in tested]
        assert [scores[label].p_value for label in tested] == list(correct_holm(raw))
        assert [scores[label].is_significant for label in tested] == [True, False, True]

    def test_a_single_replicate_has_a_difference_and_no_p_value(self):
        score = entries(table(*self.RESULTS, pin="base"), "covid-linear")["single"]
        assert score.difference == pytest.approx(0.58)
        assert (score.p_value, score.is_exploratory, score.is_significant) == (None, False, False)

    def test_five_replicates_on_a_side_are_exploratory(self):
        results = [
            stored_cell(run, encoder=encoder(run), values=[mean - 0.01, mean, mean + 0.01] * 2, mean=mean)
            for run, mean in (("x", 0.3), ("y", 0.31))
        ]
        assert entries(table(*self.RESULTS, pin="base"), "covid-linear")["many"].is_exploratory
        assert not entries(table(*results, pin="x"), "covid-linear")["y"].is_exploratory

    def test_without_a_pin_there_is_neither(self):
        scores = entries(table(*self.RESULTS), "covid-linear").values()
        assert all(score.difference is score.p_value is None for score in scores if isinstance(score, Score))

    @pytest.mark.parametrize(("text", "label"), [("BASE", "base"), ("be", "better"), ("els", "elsewhere")])
    def test_is_found_by_its_beginning(self, text, label):
        assert table(*self.RESULTS, pin=text).pin == label

    def test_an_unknown_or_ambiguous_one_is_an_error(self):
        with pytest.raises(InputError, match="did you mean 'better'"):
            table(*self.RESULTS, pin="bettr")
        with pytest.raises(InputError, match="base, better"):
            table(*self.RESULTS, pin="b")


def test_tasks_narrow_the_table():
    results = (stored_cell("1"), stored_cell("2", encoder=encoder("other"), task="nih-linear"))
    comparison = table(*results, tasks=expand_tasks(["nih"]))
    assert [column.task for column in comparison.columns] == ["nih-linear"]
    assert list(means(comparison)) == ["other"]
