import numpy as np
import pytest

from lovt_core.data.images.loading import load_grey
from lovt_core.data.pixel_statistics import compute_pixel_statistics
from lovt_core.errors import DataError


def test_formula_of_the_protocol(paired, tmp_path):
    films = [load_grey(tmp_path / "chestxray" / "images" / f"film-{row}.png") / 255 for row in (0, 2, 5)]
    means, variances = [film.mean() for film in films], [film.var() for film in films]
    mean, deviation = compute_pixel_statistics(paired, (0, 2, 5))
    assert mean == pytest.approx(np.mean(means))
    assert deviation == pytest.approx(np.sqrt(np.mean(variances) + np.var(means)))


def test_statistics_of_nothing(paired):
    with pytest.raises(DataError, match="there is no sample to compute them from"):
        compute_pixel_statistics(paired, ())
