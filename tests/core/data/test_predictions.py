import numpy as np
import pytest

from lovt_core.data.predictions import PredictedCase, Predictions, load_predictions, pick_cases, save_predictions
from lovt_core.errors import DataError, LovtError

MASKED = PredictedCase("best", "film 1", 4, 0.75, mask=np.eye(6, dtype=bool)[None])
BOXED = PredictedCase(
    rank="worst",
    sample="Ä-2",
    image_row=0,
    score=0.0,
    boxes=np.array([[1, 2, 3, 4.5]], np.float32),
    confidence=np.array([0.25], np.float32),
    classes=np.array([0]),
)


def make_predictions(*cases):
    return Predictions("covid-linear", "covid-rural", "ab12", 6, 0, cases)


def test_a_file_holds_what_was_saved(tmp_path):
    path = tmp_path / "covid-linear.npz"
    save_predictions(path, make_predictions(MASKED, BOXED))
    save_predictions(path, make_predictions(BOXED, MASKED))
    loaded = load_predictions(path)
    assert (loaded.task, loaded.data, loaded.data_fingerprint) == ("covid-linear", "covid-rural", "ab12")
    assert (loaded.image_size, loaded.replicate) == (6, 0)
    for got, wanted in zip(loaded.cases, (BOXED, MASKED), strict=True):
        assert (got.rank, got.sample, got.image_row) == (wanted.rank, wanted.sample, wanted.image_row)
        assert got.score == wanted.score
        for name in ("mask", "boxes", "confidence", "classes"):
            array = getattr(wanted, name)
            assert (getattr(got, name) is None) == (array is None)
            if array is not None:
                assert getattr(got, name).dtype == array.dtype
                assert np.array_equal(getattr(got, name), array)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_boxes_are_kept_as_no_boxes(tmp_path):
    nothing = PredictedCase(
        "best", "a", 0, 0.0, None, np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64)
    )
    save_predictions(tmp_path / "a.npz", make_predictions(nothing))
    (case,) = load_predictions(tmp_path / "a.npz").cases
    assert case.boxes.shape == (0, 4)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(LovtError, match="cannot write"):
        save_predictions(tmp_path / "absent" / "a.npz", make_predictions(MASKED))


def cut(content):
    return content[: len(content) // 2]


def flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes(255 - byte for byte in content[middle : middle + 40]) + content[middle + 40 :]


@pytest.mark.parametrize("damage", [cut, flip, lambda content: b"", lambda content: b"not a zip"])
def test_a_damaged_file_is_one_sentence(tmp_path, damage):
    path = tmp_path / "a.npz"
    save_predictions(path, make_predictions(MASKED, BOXED))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        DataError, match=r"cannot read the predictions .*a\.npz \(.*\): evaluate the encoder again"
    ) as at:
        load_predictions(path)
    assert "\n" not in str(at.value)


def test_an_absent_file_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="cannot read the predictions"):
        load_predictions(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({}, "it has no 'header'"),
        ({"header": np.frombuffer(b'{"format": 2}', np.uint8)}, "format 2 instead of 1"),
        ({"header": np.frombuffer(b'{"format": 1, "cases": [{"rank": "odd"}]}', np.uint8)}, "rank 'odd' is none of"),
        ({"header": np.frombuffer(b"[1]", np.uint8)}, "list indices"),
        ({"header": np.array([{"format": 1}], dtype=object)}, "allow_pickle"),
    ],
)
def test_other_content_is_refused(tmp_path, arrays, reason):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=reason):
        load_predictions(tmp_path / "a.npz")


def test_an_array_that_is_not_a_case_is_refused(tmp_path):
    with pytest.raises(ValueError, match="either a mask or boxes"):
        PredictedCase("best", "a", 0, 1.0)
    with pytest.raises(ValueError, match="of bool"):
        PredictedCase("best", "a", 0, 1.0, mask=np.zeros((1, 2, 2)))
    with pytest.raises(ValueError, match="need the shape"):
        PredictedCase("best", "a", 0, 1.0, boxes=np.zeros((2, 4), np.float32), classes=np.zeros(2, np.int64))


SCORES = [0.5, 0.9, 0.1, 0.7, 0.3]


@pytest.mark.parametrize(
    ("eligible", "picked"),
    [
        ([True] * 5, [("best", 1), ("median", 0), ("worst", 2)]),
        ([True, False, True, True, True], [("best", 3), ("median", 0), ("worst", 2)]),
        ([True, False, True, True, False], [("best", 3), ("median", 0), ("worst", 2)]),
        ([False, False, True, True, False], [("best", 3), ("worst", 2)]),
        ([False, False, True, False, False], [("best", 2)]),
        ([False] * 5, []),
    ],
)
def test_best_median_and_worst(eligible, picked):
    assert pick_cases(SCORES, eligible) == picked


def test_several_of_each():
    picked = pick_cases([number / 20 for number in range(20)], [True] * 20, count=3)
    assert [position for _, position in picked] == [19, 18, 17, 11, 10, 9, 0, 1, 2]
    for total in range(12):
        positions = [position for _, position in pick_cases([0.5] * total, [True] * total, count=3)]
        assert len(positions) == len(set(positions)) == min(total, 9)


def test_a_score_that_is_not_a_number_is_the_worst():
    assert pick_cases([float("nan"), 0.2, 0.0], [True] * 3) == [("best", 1), ("median", 2), ("worst", 0)]
