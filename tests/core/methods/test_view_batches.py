"""Batches of two views: where crops lie, what they depend on, drawn per image or per batch, joined left-overs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lovt_core.config.data import ViewsConfig
from lovt_core.config.methods import VIEWS
from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.single_images import open_single_images
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.methods.paired_batches import BatchSize
from lovt_core.methods.view_batches import ViewBatches
from lovt_core.objectives.pixel_propagation import ViewPlacement, compute_cell_centres
from lovt_core.training.augmentation import render_views
from lovt_core.training.compared_views import draw_compared_view, place_view
from tests.core.methods.image_methods import SIZE, make_experiment

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    synthesize(folder / "covid", Synthesis("covid-chestxray", 40, SIZE, workers=1), lambda progress: None)
    prepare(
        "covid-chestxray",
        folder / "covid",
        folder / "prepared",
        PrepareOptions(size=SIZE, workers=1),
        lambda progress: None,
    )
    experiment = make_experiment("simclr", data={"name": "covid-chestxray"})
    return open_single_images(experiment.data, folder / "prepared")


def make_batches(images, config=VIEWS["simclr"], size=8):
    return ViewBatches(images, config, BatchSize(size, SIZE, CPU))


def test_published_crops_of_each_method():
    generator = np.random.default_rng(0)
    crops = [draw_compared_view(VIEWS["pixelpro"], generator) for _ in range(500)]
    assert all(view.crop.width == view.crop.height for view in crops)
    sides = [view.crop.width / 512 for view in crops]
    assert 0.595 < min(sides) < 0.62
    assert 0.78 < max(sides) < 0.805
    assert 0.18 < np.mean([view.flip for view in crops]) < 0.32
    views = [draw_compared_view(VIEWS["byol"], generator) for _ in range(500)]
    areas = [view.crop.width * view.crop.height / 512**2 for view in views]
    assert 0.075 < min(areas) < 0.15
    assert max(areas) > 0.9
    assert 0.43 < np.mean([view.blur_sigma is not None for view in views]) < 0.57
    assert 0.74 < np.mean([view.brightness != 1 for view in views]) < 0.86
    assert all((view.brightness == 1) == (view.contrast == 1) for view in views)


def test_a_crop_keeps_its_place_in_an_image_of_another_shape():
    drawn = draw_compared_view(ViewsConfig(), np.random.default_rng(3))
    placed = place_view(drawn, (100, 50), 512)
    crop, box = placed.view.crop, placed.box
    assert crop.left == round(drawn.crop.left * 50 / 512)
    assert box[0] == pytest.approx(drawn.crop.left, abs=512 / 50)
    assert box[3] == pytest.approx(drawn.crop.top + drawn.crop.height, abs=512 / 100)
    smallest = place_view(replace(drawn, crop=replace(drawn.crop, left=511, top=511, width=1, height=1)), (40, 40), 512)
    assert (smallest.view.crop.left, smallest.view.crop.width) == (39, 1)


def test_cells_at_the_same_place_show_the_same_grey():
    """Along an image that brightens from left to right the grey of a cell is its place, also in mirrored views."""
    ramp = np.tile(np.linspace(0, 255, 256).astype(np.uint8), (256, 1))
    config = ViewsConfig(jitter=0, blur=0)
    generator = np.random.default_rng(1)
    placed = [place_view(draw_compared_view(config, generator), ramp.shape, 512) for _ in range(8)]
    pixels = render_views([ramp] * 8, [each.view for each in placed], SIZE, CPU)
    placement = ViewPlacement(torch.tensor([each.box for each in placed]), torch.tensor([e.view.flip for e in placed]))
    assert placement.flipped.any()
    assert not placement.flipped.all()
    grey = torch.nn.functional.avg_pool2d(pixels, 16).flatten(1)
    centres = compute_cell_centres(placement, (4, 4))
    torch.testing.assert_close(grey, centres[:, :, 0] / 512, atol=0.02, rtol=0)


def test_batches_depend_on_seed_and_epoch_alone(images):
    whole = list(make_batches(images).training_batches(1, 3, 0))
    skipped = list(make_batches(images).training_batches(1, 3, 2))
    assert len(whole) == len(images.train) // 8
    for batch, same in zip(whole[2:], skipped, strict=True):
        assert torch.equal(batch.views[0], same.views[0])
        assert torch.equal(batch.placements[1].boxes, same.placements[1].boxes)
    other = next(make_batches(images).training_batches(1, 4, 0))
    assert not torch.equal(whole[0].views[0], other.views[0])
    assert not torch.equal(whole[0].views[0], whole[0].views[1])
    assert whole[0].views[0].shape == (8, 1, SIZE, SIZE)


@pytest.mark.parametrize("per", ["image", "batch"])
def test_one_draw_a_batch_or_one_an_image(images, per):
    batch = next(make_batches(images, ViewsConfig(per=per)).training_batches(1, 0, 0))
    for placement in batch.placements:
        shared = len({tuple(round(edge / 20) for edge in box.tolist()) for box in placement.boxes}) == 1
        assert shared == (per == "batch")
    assert not torch.equal(batch.placements[0].boxes, batch.placements[1].boxes)


def test_validation_shows_the_same_views_each_time(images):
    first, again = (list(make_batches(images).validation_batches(1)) for _ in range(2))
    assert sum(len(batch.views[0]) for batch in first) == len(images.validation)
    assert all(torch.equal(one.views[1], other.views[1]) for one, other in zip(first, again, strict=True))


def test_one_image_left_over_joins_the_batch_before_it(images):
    rows = replace(images, validation=images.train[:9])
    assert [len(batch.views[0]) for batch in make_batches(rows).validation_batches(1)] == [9]
