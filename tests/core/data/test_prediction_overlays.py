import numpy as np
import pytest
from PIL import Image

from lovt_core.data.prediction_overlays import (
    COLOURS,
    PREDICTION,
    TRUTH,
    check_case,
    draw_case,
    draw_case_sheet,
    mark_outlines,
)
from lovt_core.data.predictions import PredictedCase
from lovt_core.errors import DataError
from tests.core.data.factories import prepare_quietly, synthesize_quietly, write_rural

BOTH = TRUTH | PREDICTION


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masked")
    return prepare_quietly("covid-rural", write_rural(folder / "download"), folder / "prepared")


@pytest.fixture(scope="module")
def boxed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boxed")
    source = synthesize_quietly(folder / "download", "rsna")
    return prepare_quietly("rsna", source, folder / "prepared")


def box_case(row, *boxes):
    table = np.array(boxes, np.float32).reshape(-1, 4)
    return PredictedCase(
        "best",
        "a",
        row,
        0.5,
        boxes=table,
        confidence=np.ones(len(table), np.float32),
        classes=np.zeros(len(table), int),
    )


def test_masks_are_outlined(masked):
    truth = masked.mask(0).astype(bool)
    case = PredictedCase("best", "a", 0, 1.0, mask=truth)
    marks = mark_outlines(masked, case, (32, 32))
    assert set(np.unique(marks).tolist()) == {0, BOTH}
    assert not marks[~truth[0]].any()
    rows, columns = np.nonzero(truth[0])
    assert marks[rows.min(), columns[rows == rows.min()]].all()
    assert not marks[int(rows.mean()), int(columns.mean())]


def test_two_masks_are_told_apart_also_at_other_sizes(masked):
    predicted = np.zeros((1, 32, 32), dtype=bool)
    predicted[0, 0, 0] = True
    case = PredictedCase("best", "a", 0, 0.0, mask=predicted)
    for shape in ((32, 32), (10, 8), (64, 64)):
        marks = mark_outlines(masked, case, shape)
        assert marks[0, 0] == PREDICTION
        assert (marks == TRUTH).any()
        assert marks.shape == shape


def test_boxes_are_outlined_at_their_pixels(boxed):
    row = next(row for row in range(boxed.num_images) if not len(boxed.boxes(row)[0]))
    marks = mark_outlines(boxed, box_case(row, (4, 6, 8, 10)), (32, 32))
    expected = np.zeros((32, 32), dtype=np.uint8)
    expected[6:16, 4:12] = PREDICTION
    expected[7:15, 5:11] = 0
    assert np.array_equal(marks, expected)


def test_boxes_beyond_the_border_are_drawn_along_it_and_wild_ones_not_at_all(boxed):
    row = next(row for row in range(boxed.num_images) if not len(boxed.boxes(row)[0]))
    case = box_case(row, (-50, -50, 200, 200), (np.inf, 0, 3, 3), (0, np.nan, 3, 3), (100, 100, 5, 5))
    marks = mark_outlines(boxed, case, (32, 32))
    inner = marks[1:-1, 1:-1]
    assert marks[0].all()
    assert marks[:, -1].all()
    assert not inner.any()


def test_true_boxes_are_marked_where_they_are(boxed):
    row = next(row for row in range(boxed.num_images) if len(boxed.boxes(row)[0]))
    marks = mark_outlines(boxed, box_case(row, *boxed.boxes(row)[0].tolist()), (64, 64))
    assert set(np.unique(marks).tolist()) == {0, BOTH}


def test_pictures_show_the_colours(masked):
    case = PredictedCase("best", "a", 0, 0.0, mask=np.ones((1, 32, 32), dtype=bool))
    picture = draw_case(masked, case, 128)
    assert picture.size == (128, 128)
    assert picture.getpixel((0, 0)) == COLOURS[PREDICTION]
    assert COLOURS[TRUTH] in {colour for _, colour in picture.getcolors(128 * 128)}


def test_sheet_has_a_row_a_task_and_a_legend():
    pictures = [(Image.new("RGB", (80, 80), (200, 0, 0)), "one"), (Image.new("RGB", (80, 80), (200, 0, 0)), "two")]
    one, two = draw_case_sheet([pictures]), draw_case_sheet([pictures, pictures])
    assert one.width == two.width > 3 * 80
    assert two.height > one.height + 80
    colours = {colour for _, colour in one.crop((0, 0, one.width, 18)).getcolors(10_000)}
    assert set(COLOURS.values()) <= colours


def test_a_case_that_is_of_other_data_is_refused(masked):
    with pytest.raises(DataError, match="has 6 images, but a prediction is about number 6"):
        check_case(masked, box_case(6))
    with pytest.raises(DataError, match=r"the predicted mask of a is \(1, 8, 8\)"):
        check_case(masked, PredictedCase("best", "a", 0, 0.0, mask=np.ones((1, 8, 8), dtype=bool)))
    check_case(masked, PredictedCase("best", "a", 0, 0.0, mask=np.ones((1, 32, 32), dtype=bool)))
