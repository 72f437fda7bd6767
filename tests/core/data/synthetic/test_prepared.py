"""Synthetic downloads take the very road of real ones: the same preparation, and they say that they are synthetic."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.catalog import find_data_set
from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.splits import build_split
from lovt_core.data.synthetic.generate import LAYOUTS, Synthesis, synthesize
from lovt_core.data.synthetic.patients import plan_films
from lovt_core.values import Progress


def _ignore(_: Progress) -> None:
    return None


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_prepared_without_loss(tmp_path: Path, layout: str) -> None:
    download = synthesize(tmp_path / layout, Synthesis(layout, 40, 64, workers=1), _ignore)
    data = prepare(layout, download, tmp_path / "prepared", PrepareOptions(size=64, workers=1), _ignore)
    assert data.meta.skipped == ()
    assert len(data.samples) == data.meta.flow[-1].kept > 10
    assert data.meta.synthetic
    assert not data.meta.genuine
    assert max(data.image(0).shape) == 64
    match find_data_set(layout).kind:
        case "paired":
            assert all(sample.sentences for sample in data.samples)
        case "localized":
            assert any(data.mask(sample.images[0]).any() for sample in data.samples)
    split = build_split(data, "patient:0")
    patients = [{data.samples[row].patient for row in rows} for rows in (split.train, split.validation, split.test)]
    assert sum(map(len, patients)) == len(set.union(*patients))


def test_masks_keep_left_and_right_through_preparation(tmp_path: Path) -> None:
    synthesis = Synthesis("covid-rural", 60, 64, workers=1)
    download = synthesize(tmp_path / "download", synthesis, _ignore)
    data = prepare("covid-rural", download, tmp_path / "prepared", PrepareOptions(size=64, workers=1), _ignore)
    masks = {sample.id: data.mask(sample.images[0])[0] for sample in data.samples}
    for path in (download / "pngs_masks").iterdir():
        with Image.open(path) as image:
            assert np.array_equal(masks[path.stem], np.asarray(image))


def test_plans_are_prefixes_of_longer_plans() -> None:
    short, long = list(plan_films(25, 3, 9, 64)), list(plan_films(60, 3, 9, 64))
    assert short == long[:25]
