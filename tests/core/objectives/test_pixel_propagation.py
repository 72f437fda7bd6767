import math

import pytest
import torch
import torch.nn.functional as F

from lovt_core.objectives.pixel_propagation import (
    PixelPropagationLoss,
    ViewPlacement,
    compute_cell_centres,
    compute_positive_pairs,
)
from tests.core.objectives.baseline_vectors import cosine

SIZE = (3, 4)


def placement(*boxes, flipped=None):
    flags = [False] * len(boxes) if flipped is None else flipped
    return ViewPlacement(torch.tensor(boxes, dtype=torch.float64), torch.tensor(flags).bool())


FIRST = placement((0, 0, 200, 159), (30, 10, 150, 130), (0, 0, 64, 63), (10, 20, 138, 149), flipped=(0, 1, 0, 1))
SECOND = placement((40, 30, 220, 190), (0, 0, 224, 224), (128, 128, 200, 200), (10, 20, 138, 149), flipped=(0, 0, 1, 0))
"""The third image's views do not overlap; the fourth's are mirror images."""


def random_views(num_images=4, dtype=torch.float64, cells=12):
    return tuple(torch.randn(num_images, cells, 5, dtype=dtype, requires_grad=True) for _ in range(2))


def naive_centre(view, image, cell, size):
    left, top, right, bottom = view.boxes[image].tolist()
    row, column = divmod(cell, size[1])
    if view.flipped[image]:
        column = size[1] - 1 - column
    return left + (column + 0.5) * (right - left) / size[1], top + (row + 0.5) * (bottom - top) / size[0]


def naive_diagonal(view, image, size):
    left, top, right, bottom = view.boxes[image].tolist()
    return math.hypot((right - left) / size[1], (bottom - top) / size[0])


def naive_positive(views, image, i, j, size, threshold):
    """Equation 1: distance in the image, in units of the larger diagonal of a cell."""
    centres = naive_centre(views[0], image, i, size), naive_centre(views[1], image, j, size)
    return math.dist(*centres) / max(naive_diagonal(view, image, size) for view in views) < threshold


def naive_loss(propagated, targets, views, size, threshold):
    """Equation 5, averaged over the positive pairs of each image, then over the images."""
    y, x = ([view.tolist() for view in pair] for pair in (propagated, targets))
    losses = []
    for image in range(len(y[0])):
        cells = range(size[0] * size[1])
        pairs = [(i, j) for i in cells for j in cells if naive_positive(views, image, i, j, size, threshold)]
        terms = [-cosine(y[0][image][i], x[1][image][j]) - cosine(y[1][image][j], x[0][image][i]) for i, j in pairs]
        losses.append(sum(terms) / len(terms) if terms else 0.0)
    return sum(losses) / len(losses)


@pytest.mark.parametrize("threshold", [0.3, 0.7, 1.5])
def test_paper_equations(threshold):
    propagated, targets = random_views(), random_views()
    losses = PixelPropagationLoss(threshold)(propagated, targets, (FIRST, SECOND), SIZE)
    expected = naive_loss(propagated, targets, (FIRST, SECOND), SIZE, threshold)
    assert losses.loss.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("threshold", [0.3, 0.7, 1.5])
def test_positive_pairs(threshold):
    views = FIRST, SECOND
    positive = compute_positive_pairs(views, SIZE, threshold)
    expected = [
        [[naive_positive(views, image, i, j, SIZE, threshold) for j in range(12)] for i in range(12)]
        for image in range(4)
    ]
    assert positive.tolist() == expected


def test_cell_centres_are_where_the_crop_was_taken():
    ys, xs = torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="ij")
    coordinates = torch.stack([xs, ys]) + 0.5
    for image, (left, top, right, bottom) in enumerate(FIRST.boxes.int().tolist()):
        crop = coordinates[:, top:bottom, left:right]
        if FIRST.flipped[image]:
            crop = crop.flip(-1)
        expected = F.adaptive_avg_pool2d(crop, SIZE).flatten(1).T.double()
        torch.testing.assert_close(compute_cell_centres(FIRST, SIZE)[image], expected)


def test_a_view_against_itself_pairs_each_cell_with_itself():
    square = placement((0, 0, 224, 224), (50, 20, 120, 90))
    positive = compute_positive_pairs((square, square), (7, 7), 0.7)
    assert torch.equal(positive, torch.eye(49, dtype=torch.bool).expand(2, 49, 49))


def test_a_view_against_its_mirror_image_pairs_mirrored_cells():
    plain, mirrored = placement((0, 0, 90, 30)), placement((0, 0, 90, 30), flipped=(True,))
    positive = compute_positive_pairs((plain, mirrored), (1, 3), 0.5)
    assert torch.equal(positive[0], torch.eye(3, dtype=torch.bool).flip(1))


def test_pairs_of_exchanged_views_are_transposed():
    there, back = (compute_positive_pairs(views, SIZE, 0.7) for views in ((FIRST, SECOND), (SECOND, FIRST)))
    assert torch.equal(there, back.transpose(1, 2))


@pytest.mark.parametrize("unit", [1 / 224, 4.0])
def test_unit_of_the_boxes_does_not_matter(unit):
    scaled = tuple(ViewPlacement(view.boxes * unit, view.flipped) for view in (FIRST, SECOND))
    assert torch.equal(compute_positive_pairs(scaled, SIZE, 0.7), compute_positive_pairs((FIRST, SECOND), SIZE, 0.7))


def test_exchanging_the_views_changes_nothing():
    propagated, targets = random_views(), random_views()
    there = PixelPropagationLoss()(propagated, targets, (FIRST, SECOND), SIZE)
    back = PixelPropagationLoss()(propagated[::-1], targets[::-1], (SECOND, FIRST), SIZE)
    torch.testing.assert_close(there.loss, back.loss)
    assert there.positive_pairs == back.positive_pairs


def test_length_of_vectors_does_not_matter():
    propagated, targets = random_views(), random_views()
    loss, views = PixelPropagationLoss(), (FIRST, SECOND)
    scaled = tuple(9 * y for y in propagated), tuple(x / 9 for x in targets)
    torch.testing.assert_close(loss(*scaled, views, SIZE).loss, loss(propagated, targets, views, SIZE).loss)


def test_equal_vectors_give_the_smallest_loss():
    same, square = (torch.ones(2, 12, 5),) * 2, placement((0, 0, 90, 90), (9, 9, 50, 50))
    assert PixelPropagationLoss()(same, same, (square, square), SIZE).loss.item() == pytest.approx(-2)


def test_gradient_to_the_propagated_only():
    propagated, targets = random_views(), random_views()
    fixed, loss, views = tuple(x.detach() for x in targets), PixelPropagationLoss(), (FIRST, SECOND)
    assert torch.autograd.gradcheck(lambda a, b: loss((a, b), fixed, views, SIZE).loss, propagated)
    loss(propagated, targets, views, SIZE).loss.backward()
    assert all(x.grad is None for x in targets)


def test_images_without_overlap_add_nothing():
    propagated, targets = random_views(), random_views()
    losses = PixelPropagationLoss()(propagated, targets, (FIRST, SECOND), SIZE)
    losses.loss.backward()
    assert losses.overlapping == 0.75
    for y in propagated:
        assert (y.grad[2] == 0).all()
        assert (y.grad[[0, 1, 3]].abs().sum(dim=(1, 2)) > 0).all()


def test_gradient_of_a_batch_is_the_mean_of_its_parts():
    propagated, targets = random_views(), random_views()
    whole = PixelPropagationLoss()(propagated, targets, (FIRST, SECOND), SIZE).loss
    parts = []
    for part in (slice(0, 2), slice(2, 4)):
        views = tuple(ViewPlacement(view.boxes[part], view.flipped[part]) for view in (FIRST, SECOND))
        cut = [tuple(x[part] for x in pair) for pair in (propagated, targets)]
        parts.append(PixelPropagationLoss()(*cut, views, SIZE).loss)
    torch.testing.assert_close(whole, sum(parts) / 2)


def test_batch_without_any_overlap_has_loss_and_gradient_zero():
    propagated, targets = random_views(2), random_views(2)
    apart = placement((0, 0, 50, 50), (0, 0, 20, 20)), placement((150, 150, 200, 200), (90, 0, 110, 20))
    losses = PixelPropagationLoss()(propagated, targets, apart, SIZE)
    losses.loss.backward()
    assert losses.loss == losses.overlapping == losses.positive_pairs == 0
    assert all((y.grad == 0).all() for y in propagated)


def test_empty_boxes_have_no_positive_pairs():
    empty = placement((10, 10, 10, 10))
    assert not compute_positive_pairs((empty, empty), SIZE, 0.7).any()


def test_float32_under_autocast():
    propagated, targets = random_views(dtype=torch.float32), random_views(dtype=torch.float32)
    arguments = propagated, targets, (FIRST, SECOND), SIZE
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = PixelPropagationLoss()(*arguments).loss
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, PixelPropagationLoss()(*arguments).loss)


def test_bfloat16_vectors_give_a_finite_float32_loss_and_gradient():
    propagated, targets = random_views(dtype=torch.bfloat16), random_views(dtype=torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = PixelPropagationLoss()(propagated, targets, (FIRST, SECOND), SIZE).loss
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.isfinite()
    assert all(y.grad.isfinite().all() for y in propagated)


def test_wrong_grid_is_refused():
    with pytest.raises(ValueError, match="12 cells are no grid of 4 x 4"):
        PixelPropagationLoss()(random_views(), random_views(), (FIRST, SECOND), (4, 4))
