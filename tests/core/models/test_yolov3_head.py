import json
import math
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from lovt_core.errors import ConfigError
from lovt_core.models.heads.yolo_detections import suppress
from lovt_core.models.heads.yolov3 import ANCHORS, STRIDES, YoloHead, decode, decode_map, scaled_anchors
from lovt_core.objectives.yolov3 import YoloLoss
from tests.core.conftest import read_cases

FOLDER = Path(os.environ.get("LOVT_VECTORS", Path(__file__).parents[4] / "shared/reference/vectors"))
FILE = FOLDER / "09_yolo_head.json"
PLANS = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
DECODED = [
    pytest.param(case, id=f"{file.stem}-{case.name}")
    for file in sorted(FOLDER.glob("08_yolo_loss*.npz"))
    for case in read_cases(file.stem)
]
RESNET50 = {2: 64, 4: 256, 8: 512, 16: 1024, 32: 2048}
EFFICIENTNET_LITE0 = {2: 16, 4: 24, 8: 40, 16: 112, 32: 320}
TEST_RESNET = {2: 32, 4: 32, 8: 48, 16: 192, 32: 96}


def num_classes_of(plan):
    return plan["output_channels"] // plan["num_anchors_per_scale"] - 5


def build(channels, num_classes, device="cpu"):
    with torch.device(device):
        return YoloHead(channels, num_classes)


def parts_of(head):
    """The plan's names of the parts."""
    return {
        "embedding0": head.branches[0],
        "embedding1_cbl": head.reductions[0],
        "embedding1": head.branches[1],
        "embedding2_cbl": head.reductions[1],
        "embedding2": head.branches[2],
    }


def describe(layer):
    """As the plan writes it."""
    count = sum(parameter.numel() for parameter in layer.parameters())
    match layer:
        case nn.Conv2d():
            return {
                "type": "Conv2d",
                "in_channels": layer.in_channels,
                "out_channels": layer.out_channels,
                "kernel": list(layer.kernel_size),
                "stride": list(layer.stride),
                "padding": list(layer.padding),
                "bias": layer.bias is not None,
                "params": count,
            }
        case nn.BatchNorm2d():
            return {
                "type": "BatchNorm2d",
                "channels": layer.num_features,
                "eps": layer.eps,
                "momentum": layer.momentum,
                "params": count,
            }
        case nn.LeakyReLU():
            return {"type": "LeakyReLU", "negative_slope": layer.negative_slope}
    raise AssertionError(f"unexpected layer {layer}")


def features_of(channels, side, num_images=2, device="cpu"):
    sides = {stride: math.ceil(side / stride) for stride in STRIDES}
    return {n: torch.randn(num_images, channels[n], sides[n], sides[n], device=device) for n in STRIDES}


@pytest.mark.vectors
@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
class TestPublishedHead:
    def test_layers(self, plan):
        head = build(RESNET50, num_classes_of(plan), "meta")
        for name, part in parts_of(head).items():
            layers = [describe(layer) for layer in part.modules() if not list(layer.children())]
            assert layers == list(plan["layers"][name].values()), name
            assert sum(parameter.numel() for parameter in part.parameters()) == plan["params"][name]

    def test_parameters_and_outputs(self, plan):
        head = build(RESNET50, num_classes_of(plan), "meta")
        assert sum(parameter.numel() for parameter in head.parameters()) == plan["head_params_total"]
        shapes = plan["inputs"].values()
        features = dict(zip(STRIDES, (torch.empty(shape, device="meta") for shape in shapes), strict=True))
        assert [list(each.shape) for each in head(features)] == list(plan["outputs"].values())


def test_finer_branches_read_the_fifth_block_before_the_encoder():
    """The order of concatenation: a finer branch's first channels come from the coarser branch."""
    head = YoloHead(TEST_RESNET, 1).eval()
    seen = []
    head.branches[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    features = features_of(TEST_RESNET, 64)
    head(features)
    tap = head.branches[0].embedding(features[32])
    expected = head.reductions[0](tap).repeat_interleave(2, -1).repeat_interleave(2, -2)
    torch.testing.assert_close(seen[0], torch.cat((expected, features[16]), dim=1))


@pytest.mark.parametrize(
    ("channels", "widths"),
    [(RESNET50, [512, 256, 128]), (EFFICIENTNET_LITE0, [80, 40, 20]), (TEST_RESNET, [24, 16, 16])],
)
def test_widths_are_in_proportion_to_the_encoder(channels, widths):
    head = build(channels, 1, "meta")
    assert [branch.embedding[0][0].out_channels for branch in head.branches] == widths
    assert [branch.prediction[0][0].out_channels for branch in head.branches] == [2 * width for width in widths]


@pytest.mark.parametrize("channels", [EFFICIENTNET_LITE0, TEST_RESNET])
@pytest.mark.parametrize("side", [64, 96, 100, 224])
def test_maps_have_the_grids_of_their_features(channels, side):
    features = features_of(channels, side)
    maps = YoloHead(channels, 2)(features)
    expected = [(2, 21, *features[stride].shape[-2:]) for stride in STRIDES]
    assert [tuple(each.shape) for each in maps] == expected
    num_cells = sum(features[stride].shape[-1] ** 2 for stride in STRIDES)
    assert decode(maps).shape == (2, 3 * num_cells, 7)


@pytest.mark.parametrize("stride", STRIDES)
def test_a_missing_stride_is_named(stride):
    channels = {key: width for key, width in RESNET50.items() if key != stride}
    with pytest.raises(ConfigError, match=f"stride {stride} is missing"):
        build(channels, 1, "meta")


@pytest.mark.vectors
@pytest.mark.parametrize("case", DECODED)
def test_decoded_reference(case):
    case.check("decoded", decode_map(case.tensor("input"), int(case.settings["stride"])))


def test_decoding_orders_scales_anchors_rows_and_columns():
    maps = [torch.zeros(1, 18, n, n) for n in (7, 14, 28)]
    decoded = decode(maps)[0]
    start = 0
    for stride, raw in zip(STRIDES, maps, strict=True):
        side = raw.shape[-1]
        for anchor, row, column in ((0, 0, 0), (1, 2, 5), (2, side - 1, 0)):
            found = decoded[start + (anchor * side + row) * side + column]
            expected = [(column + 0.5) * stride, (row + 0.5) * stride, *ANCHORS[stride][anchor], 0.5, 0.5]
            assert found.tolist() == pytest.approx(expected)
        start += 3 * side * side


def test_anchors_are_the_published_ones_at_224_and_scale_with_the_image():
    for stride in STRIDES:
        assert scaled_anchors(stride, 224) == ANCHORS[stride]
        for scaled, published in zip(scaled_anchors(stride, 96), ANCHORS[stride], strict=True):
            assert scaled == pytest.approx([length * 96 / 224 for length in published])
    decoded = decode([torch.zeros(1, 18, n, n) for n in (3, 6, 12)])[0]
    assert decoded[0, 2:4].tolist() == pytest.approx([64.64 * 96 / 224, 48.6 * 96 / 224])
    assert decoded[:, :2].max() < 96


def test_decoding_is_in_float32():
    maps = [torch.randn(1, 18, n, n).half() for n in (7, 14, 28)]
    decoded = decode(maps)
    assert decoded.dtype == torch.float32
    assert torch.equal(decoded, decode([each.float() for each in maps]))


def test_a_head_that_learned_one_batch_finds_its_boxes():
    torch.manual_seed(0)
    head, side = YoloHead(TEST_RESNET, 2), 96
    features = features_of(TEST_RESNET, side, num_images=3)
    boxes = [torch.tensor([[12.0, 20.0, 40.0, 30.0]]), torch.tensor([[50.0, 46.0, 18.0, 36.0]]), torch.empty(0, 4)]
    classes = [torch.tensor([1]), torch.tensor([0]), torch.empty(0, dtype=torch.int64)]
    loss, optimiser = YoloLoss(2, ANCHORS), torch.optim.Adam(head.parameters(), lr=5e-3)
    for _ in range(150):
        optimiser.zero_grad()
        loss(head(features), boxes, classes).total.backward()
        optimiser.step()
    with torch.no_grad():
        found = suppress(decode(head.eval()(features)))
    for each, box, label in zip(found[:2], boxes, classes, strict=False):
        best = each.confidence.argmax()
        assert each.boxes[best].tolist() == pytest.approx(box[0].tolist(), abs=2)
        assert each.classes[best] == label
    assert len(found[2].boxes) == 0
