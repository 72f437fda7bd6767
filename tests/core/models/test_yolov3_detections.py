import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lovt_core.models.heads.yolo_detections import compute_iou, suppress
from lovt_core.models.heads.yolov3 import decode


def to_corners(row):
    left, top = row[0] - row[2] / 2, row[1] - row[3] / 2
    return torch.stack((left, top, left + row[2], top + row[3]))


def suppress_one_by_one(predictions, confidence, overlap):
    """Kept (class, row) of one image (P, 5 + C), as the definition says it."""
    kept = []
    scores = predictions[:, 5:]
    classes = scores.argmax(dim=1) if scores.shape[1] > 1 else torch.zeros(len(scores), dtype=torch.int64)
    for label in range(max(scores.shape[1], 1)):
        rows = [row for row in range(len(predictions)) if predictions[row, 4] >= confidence and classes[row] == label]
        rows.sort(key=lambda row: -float(predictions[row, 4]))
        while rows:
            best, *rest = rows
            kept.append((label, best))
            corners = to_corners(predictions[best])
            rows = [row for row in rest if not compute_iou(corners, to_corners(predictions[row])) >= overlap]
    return kept


def make_predictions(num_rows, num_classes, seed, grid=None):
    """Crowded boxes; on a `grid` of pixels and of confidences, so that overlaps and confidences tie."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.rand(num_rows, 5 + num_classes, generator=generator)
    rows[:, :4] = rows[:, :4] * torch.tensor([60.0, 60.0, 30.0, 30.0]) + 5
    if grid is not None:
        rows[:, :4] = (rows[:, :4] / grid).round() * grid
        rows[:, 4] = (rows[:, 4] * 10).round() / 10
    return rows


def assert_equals_definition(predictions, confidence, overlap):
    for found, image in zip(suppress(predictions, confidence, overlap), predictions, strict=True):
        expected = suppress_one_by_one(image, confidence, overlap)
        rows = [row for _, row in expected]
        assert found.classes.tolist() == [label for label, _ in expected]
        assert torch.equal(found.confidence, image[rows, 4])
        assert torch.equal(found.boxes, torch.cat((image[rows, :2] - image[rows, 2:4] / 2, image[rows, 2:4]), dim=1))


@pytest.mark.vectors("08_yolo_nms")
def test_reference(case):
    if "iou" in case:
        case.check("iou", compute_iou(case.tensor("box1"), case.tensor("box2")))
        return
    decoded = case.tensor("prediction") if "prediction" in case else decode([case.tensor(f"raw{i}") for i in range(3)])
    found = suppress(decoded, case.settings["conf_threshold"], case.settings["nms_threshold"])
    case.check("det_counts", torch.tensor([len(each.boxes) for each in found]))
    for key, name in (
        ("det_boxes", "boxes"),
        ("det_conf", "confidence"),
        ("det_cls_conf", "class_confidence"),
        ("det_classes", "classes"),
    ):
        together = torch.cat([getattr(each, name) for each in found])
        if key in case and len(together):
            case.check(key, together)


@settings(max_examples=40, deadline=None)
@given(
    num_rows=st.integers(0, 40),
    num_classes=st.sampled_from((1, 3)),
    seed=st.integers(0, 10_000),
    grid=st.sampled_from((None, 1, 5)),
    overlap=st.sampled_from((0.0, 0.3, 0.4, 0.5, 1.0)),
)
def test_equals_the_sequential_definition(num_rows, num_classes, seed, grid, overlap):
    images = [make_predictions(num_rows, num_classes, seed + i, grid) for i in range(2)]
    assert_equals_definition(torch.stack(images), 0.2, overlap)


@pytest.mark.parametrize("num_classes", [1, 2])
def test_equals_the_sequential_definition_with_more_boxes_than_are_compared_at_once(num_classes):
    predictions = make_predictions(320, num_classes, seed=3)[None]
    predictions[..., 2:4] /= 4
    assert_equals_definition(predictions, 0.1, 0.4)
    assert sum(len(found.boxes) for found in suppress(predictions, 0.1)) > 130


def test_a_dropped_box_drops_no_other():
    """A chain: the first covers the second, the second the third, the first not the third."""
    chain = torch.tensor([[50, 50, 40, 40, 0.9, 1], [60, 50, 40, 40, 0.8, 1], [75, 50, 40, 40, 0.7, 1]])
    found = suppress(chain[None])[0]
    assert found.confidence.tolist() == pytest.approx([0.9, 0.7])


def test_classes_do_not_suppress_each_other_and_come_in_order():
    same_place = torch.tensor([[50, 50, 40, 40, 0.9, 0.1, 0.6], [50, 50, 40, 40, 0.5, 0.8, 0.3]])
    found = suppress(same_place[None])[0]
    assert found.classes.tolist() == [0, 1]
    assert found.confidence.tolist() == pytest.approx([0.5, 0.9])
    assert found.class_confidence.tolist() == pytest.approx([0.8, 0.6])


@pytest.mark.parametrize(
    "predictions", [torch.zeros(3, 10, 6), torch.zeros(3, 0, 13), torch.full((3, 4, 6), torch.nan)]
)
def test_nothing_is_found(predictions):
    found = suppress(predictions)
    assert len(found) == 3
    for each in found:
        assert each.boxes.shape == (0, 4)
        assert each.confidence.shape == each.class_confidence.shape == each.classes.shape == (0,)
        assert each.classes.dtype == torch.int64


def test_the_input_stays_as_it_is_and_results_hold_no_graph():
    predictions = make_predictions(30, 2, seed=1)[None].requires_grad_()
    before = predictions.detach().clone()
    found = suppress(predictions)[0]
    assert torch.equal(predictions, before)
    assert not found.boxes.requires_grad


def test_iou_counts_last_pixels_and_broadcasts():
    box = torch.tensor([0.0, 0.0, 9.0, 9.0])
    others = torch.tensor([[0.0, 0.0, 9.0, 9.0], [5.0, 0.0, 14.0, 9.0], [9.0, 9.0, 18.0, 18.0], [10.0, 0.0, 19.0, 9.0]])
    assert compute_iou(box, others).tolist() == pytest.approx([1, 1 / 3, 1 / 199, 0])
    assert compute_iou(others[:, None], others).shape == (4, 4)
