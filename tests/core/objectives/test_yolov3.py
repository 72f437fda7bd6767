import math
import os
from pathlib import Path

import pytest
import torch

from lovt_core.objectives.yolov3 import Scale, YoloLoss, build_targets, gather_boxes
from tests.core.conftest import read_cases

FOLDER = Path(os.environ.get("LOVT_VECTORS", Path(__file__).parents[4] / "shared/reference/vectors"))
CASES = [(file.stem, case) for file in sorted(FOLDER.glob("08_yolo_loss*.npz")) for case in read_cases(file.stem)]
WITH_MAPS = [case for file in FOLDER.glob("08_yolo_nms.npz") for case in read_cases(file.stem) if "raw0" in case]
ANCHORS = {
    32: ((64.64, 48.6), (84.24, 106.92), (201.42, 176.04)),
    16: ((16.2, 32.94), (33.48, 24.3), (31.86, 64.26)),
    8: ((5.4, 7.02), (8.64, 16.2), (17.82, 12.42)),
}
CPU = torch.device("cpu")


def truth_of(case, num_images):
    """Boxes and classes of each image."""
    images = case.tensor("target_image_index")
    return [[case.tensor(key)[images == i] for i in range(num_images)] for key in ("target_boxes", "target_classes")]


def random_truth(num_images, num_boxes, num_classes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    boxes = [torch.rand(num_boxes, 4, generator=generator) * 100 + 1 for _ in range(num_images)]
    return boxes, [torch.randint(num_classes, (num_boxes,), generator=generator) for _ in range(num_images)]


def maps_of(side, num_classes=1, num_images=2):
    generator = torch.Generator().manual_seed(1)
    grids = [math.ceil(side / stride) for stride in ANCHORS]
    return [torch.randn(num_images, 3 * (5 + num_classes), n, n, generator=generator) for n in grids]


def targets_of(boxes, classes, num_classes=1, stride=32):
    scale = Scale(stride, ANCHORS[stride], 224 // stride, 224 // stride)
    return build_targets(gather_boxes(boxes, classes, CPU), scale, num_classes)


@pytest.mark.vectors
@pytest.mark.parametrize("case", [pytest.param(case, id=f"{file}-{case.name}") for file, case in CASES])
class TestReference:
    def test_loss_and_gradient(self, case):
        settings, raw = case.settings, case.input("input")
        loss = YoloLoss(settings["num_classes"], {int(settings["stride"]): settings["anchors"]})
        losses = loss([raw], *truth_of(case, settings["num_images"]))
        losses.total.backward()
        case.check("loss", losses.total)
        case.check("loss_x", losses.x)
        case.check("loss_y", losses.y)
        case.check("loss_w", losses.width)
        case.check("loss_h", losses.height)
        case.check("loss_conf", losses.confidence)
        case.check("loss_cls", losses.classes)
        case.check("grad_input", raw.grad)

    def test_targets(self, case):
        settings = case.settings
        scale = Scale(int(settings["stride"]), tuple(map(tuple, settings["anchors"])), *settings["grid"])
        truth = gather_boxes(*truth_of(case, settings["num_images"]), CPU)
        targets = build_targets(truth, scale, settings["num_classes"])
        case.check("build_mask", targets.objects)
        case.check("build_noobj_mask", targets.background)
        places = case.tensor("assigned_index").unbind(dim=1)
        case.check("assigned_tcls", targets.classes[places])
        if len(places[0]):
            case.check("assigned_txtytwth", targets.geometry[places])
        assert not targets.geometry[~targets.objects].any()
        assert not targets.classes[~targets.objects].any()

    def test_anchors_are_the_published_ones(self, case):
        assert tuple(map(tuple, case.settings["anchors"])) == ANCHORS[int(case.settings["stride"])]


@pytest.mark.vectors
@pytest.mark.parametrize("case", WITH_MAPS, ids=[case.name for case in WITH_MAPS])
def test_three_scales_are_added(case):
    maps = [case.tensor(f"raw{i}") for i in range(3)]
    truth = truth_of(case, len(maps[0]))
    num_classes = case.settings["num_classes"]
    case.check("total_loss", YoloLoss(num_classes, ANCHORS)(maps, *truth).total)
    for i, (stride, anchors) in enumerate(ANCHORS.items()):
        case.check(f"loss_scale{i}", YoloLoss(num_classes, {stride: anchors})([maps[i]], *truth).total)


def test_inputs_stay_as_they_are():
    maps, (boxes, classes) = maps_of(224, 3), random_truth(2, 4, 3)
    boxes[0][0, 2] = 0
    before = [each.clone() for each in (*maps, *boxes, *classes)]
    YoloLoss(3, ANCHORS)(maps, boxes, classes)
    assert all(torch.equal(*pair) for pair in zip((*maps, *boxes, *classes), before, strict=True))


@pytest.mark.parametrize("empty", [(60, 60, 0, 40), (60, 60, 40, 0), (60, 60, 0, 0), (60, 60, -3, 40)])
def test_a_box_without_area_is_left_out(empty):
    maps, (boxes, classes) = maps_of(224), random_truth(2, 2, 1)
    with_empty = [torch.cat((boxes[0], torch.tensor([empty], dtype=torch.float32))), boxes[1]]
    longer = [torch.zeros(3, dtype=torch.int64), classes[1]]
    maps = [each.requires_grad_() for each in maps]
    losses = YoloLoss(1, ANCHORS)(maps, with_empty, longer)
    losses.total.backward()
    assert torch.equal(losses.total, YoloLoss(1, ANCHORS)(maps, boxes, classes).total)
    assert all(each.grad.isfinite().all() for each in maps)


def test_the_last_box_of_a_cell_counts_and_its_classes_accumulate():
    boxes = torch.tensor([[30, 30, 40, 40], [34, 32, 42, 44], [31, 33, 43, 42]], dtype=torch.float32)
    targets = targets_of([boxes], [torch.tensor([2, 0, 1])], 4)
    last = targets_of([boxes[2:]], [torch.tensor([1])], 4)
    assert targets.objects.sum() == 1
    assert torch.equal(targets.geometry, last.geometry)
    assert targets.classes[targets.objects].tolist() == [[True, True, True, False]]


@pytest.mark.parametrize("stride", ANCHORS)
def test_targets_equal_those_of_a_loop_over_boxes(stride):
    """Many boxes to a cell; the loop lets each box write over the ones before."""
    boxes, classes = random_truth(3, 60, 5, seed=stride)
    targets = targets_of(boxes, classes, 5, stride)
    objects = torch.zeros_like(targets.objects)
    geometry, labels = torch.zeros_like(targets.geometry), torch.zeros_like(targets.classes)
    background = torch.ones_like(targets.background)
    for image in range(3):
        for box, label in zip(boxes[image], classes[image], strict=True):
            alone = targets_of([box[None]], [label[None]], 5, stride)
            place = (image, *alone.objects[0].nonzero()[0].tolist())
            objects[place] = True
            geometry[place] = alone.geometry[0][place[1:]]
            labels[(*place, label)] = True
            background[image] &= alone.background[0]
    assert targets.objects.sum() < 180
    for got, expected in (
        (targets.objects, objects),
        (targets.background, background),
        (targets.classes, labels),
        (targets.geometry, geometry),
    ):
        assert torch.equal(got, expected)


def test_a_centre_outside_belongs_to_the_nearest_cell():
    boxes = torch.tensor([[-80, 90, 60, 50], [210, 230, 60, 50]], dtype=torch.float32)
    targets = targets_of([boxes], [torch.zeros(2, dtype=torch.int64)])
    assert {tuple(place[2:]) for place in targets.objects.nonzero().tolist()} == {(3, 0), (6, 6)}


def test_order_of_images_does_not_matter():
    maps, (boxes, classes) = maps_of(224, 3), random_truth(2, 5, 3)
    turned = [[each[1], each[0]] for each in (boxes, classes)]
    loss = YoloLoss(3, ANCHORS)
    expected = loss(maps, boxes, classes).total
    torch.testing.assert_close(loss([each.flip(0) for each in maps], *turned).total, expected)


@pytest.mark.parametrize("side", [96, 448])
def test_an_image_of_another_size_sees_the_same_shapes(side):
    """Objects as large as an anchor of an image of that size need neither wider nor narrower boxes."""
    for stride, anchors in ANCHORS.items():
        sizes = torch.tensor(anchors) * (side / 224)
        boxes = torch.cat((side / 2 - sizes / 2, sizes), dim=1)
        raw = torch.zeros(1, 18, side // stride, side // stride)
        losses = YoloLoss(1, {stride: anchors})([raw], [boxes], [torch.zeros(3, dtype=torch.int64)])
        assert losses.width == pytest.approx(0, abs=1e-9)
        assert losses.height == pytest.approx(0, abs=1e-9)
        boxes[:, 2:] *= 1.5
        assert YoloLoss(1, {stride: anchors})([raw], [boxes], [torch.zeros(3, dtype=torch.int64)]).width > 1e-5


@pytest.mark.parametrize("side", [96, 100])
def test_losses_are_finite_at_other_sizes(side):
    boxes = [torch.tensor([[10, 10, 30, 30], [85, 85, 14, 10]], dtype=torch.float32), torch.empty(0, 4)]
    classes = [torch.zeros(2, dtype=torch.int64), torch.empty(0, dtype=torch.int64)]
    assert YoloLoss(1, ANCHORS)(maps_of(side), boxes, classes).total.isfinite()


def test_half_precision_is_computed_in_float32():
    maps, (boxes, classes) = [each.bfloat16() for each in maps_of(224)], random_truth(2, 3, 1)
    expected = YoloLoss(1, ANCHORS)([each.float() for each in maps], boxes, classes)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = YoloLoss(1, ANCHORS)(maps, boxes, classes)
    assert losses.total.dtype == torch.float32
    assert torch.equal(losses.total, expected.total)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("channel", [0, 2, 4])
def test_a_map_that_is_not_finite_has_loss_nan(value, channel):
    maps, (boxes, classes) = maps_of(224), random_truth(2, 3, 1)
    maps[1][0, channel, 3, 3] = value
    assert YoloLoss(1, ANCHORS)(maps, boxes, classes).total.isnan()


def test_no_boxes_in_any_image():
    maps = [each.requires_grad_() for each in maps_of(224)]
    losses = YoloLoss(1, ANCHORS)(maps, [torch.empty(0, 4)] * 2, [torch.empty(0, dtype=torch.int64)] * 2)
    losses.total.backward()
    assert losses.x == losses.y == losses.width == losses.height == losses.classes == 0
    assert losses.total == losses.confidence > 0
    assert all(each.grad.isfinite().all() for each in maps)


@pytest.mark.gpu
def test_loss_under_mixed_precision_on_a_gpu_is_that_of_the_cpu():
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    maps, (boxes, classes) = maps_of(224, 3), random_truth(2, 20, 3)
    expected = YoloLoss(3, ANCHORS)(maps, boxes, classes).total
    with torch.autocast("cuda", dtype=torch.float16):
        total = YoloLoss(3, ANCHORS)([each.cuda() for each in maps], boxes, classes).total
    torch.testing.assert_close(total.cpu(), expected)
