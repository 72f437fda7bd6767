"""Mean and standard deviation of pixels, by the protocol's formula (PROTOCOL A.2 and B.1)."""

from collections.abc import Sequence

import numpy as np

from lovt_core.data.prepared import PreparedData
from lovt_core.errors import DataError

SMALLEST_DEVIATION = 1e-6
"""Below this, images are of one grey level and cannot be divided by their deviation."""


def compute_pixel_statistics(data: PreparedData, rows: Sequence[int]) -> tuple[float, float]:
    """(mean, standard deviation) of [0, 1] pixels over the samples `rows`, each sample counting once.

    Mean of the per-sample means; variance = mean over samples of (mean variance of its images + variance of their
    means) + variance of the sample means. With one image a sample this is A.2's formula. Raises DataError where there
    is no sample, or no contrast.
    """
    if not rows:
        raise DataError(f"pixel statistics of {data.name}: there is no sample to compute them from")
    means, variances = np.empty(len(rows)), np.empty(len(rows))
    for position, row in enumerate(rows):
        image_means, image_variances = data.statistics[list(data.samples[row].images)].T
        means[position] = image_means.mean()
        variances[position] = image_variances.mean() + image_means.var()
    deviation = float(np.sqrt(variances.mean() + means.var()))
    if deviation < SMALLEST_DEVIATION:
        raise DataError(f"the training images of {data.name} are all of one grey level: they cannot be normalised")
    return float(means.mean()), deviation
