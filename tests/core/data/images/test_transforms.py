import numpy as np
import pytest

from lovt_core.data.images.transforms import EvaluationFrame, ShortSideFrame
from tests.core.data.factories import draw_film


def frame_of(case):
    height, width = case.arrays["image"].shape
    return EvaluationFrame(height, width, 224, pad=case.settings["val_resize_mode"] == "pad")


@pytest.mark.vectors("19_transforms")
def test_frame_equals_the_reference(case):
    frame = frame_of(case)
    resized = frame.apply_to_image(case.arrays["image"])
    if frame.pad:
        assert list(frame.padded) == case.settings["padded_size_wh"]
    assert np.abs(resized.astype(int) - case.arrays["resized_uint8"]).max() <= 1
    mask = frame.apply_to_mask(case.arrays["mask"].astype(np.uint8))
    assert np.array_equal(mask, case.arrays["out_mask"])
    boxes = frame.apply_to_boxes(case.arrays["boxes"])
    assert boxes.dtype == np.float32
    assert np.allclose(boxes, case.arrays["out_boxes"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("height", "width", "padding", "padded"),
    [(10, 10, (0, 0), (10, 10)), (10, 4, (3, 0), (10, 10)), (4, 11, (0, 3), (11, 10)), (1, 9, (0, 4), (9, 9))],
)
def test_padding_may_leave_one_pixel_out(height, width, padding, padded):
    frame = EvaluationFrame(height, width, 8)
    assert (frame.padding, frame.padded) == (padding, padded)


@pytest.mark.parametrize("shape", [(400, 1), (1, 400), (1, 1), (3, 500)])
def test_thin_images_fit_the_frame(shape):
    image = np.full(shape, 200, dtype=np.uint8)
    framed = EvaluationFrame(*shape, 32).apply_to_image(image)
    assert framed.shape == (32, 32)
    assert framed.max() > 0


@pytest.mark.parametrize(
    ("shape", "side", "expected"),
    [((100, 200), 50, (50, 100)), ((200, 100), 50, (100, 50)), ((40, 90), 50, (40, 90)), ((101, 203), 50, (50, 100))],
)
def test_shrinking_to_the_short_side_never_enlarges(shape, side, expected):
    shrunk = ShortSideFrame(*shape, side).apply_to_image(draw_film(1, *shape))
    assert shrunk.shape == expected
    assert shrunk.dtype == np.uint8
