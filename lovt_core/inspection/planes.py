"""Embeddings in a plane: principal components, or t-SNE.

Shapes: N points, D dimension.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lovt_core.config.inspection import PlotMethod
from lovt_core.errors import InputError

Points = npt.NDArray[np.float64]
_PERPLEXITY = 30.0


@dataclass(frozen=True)
class Plane:
    """Points and what of their variance the plane shows."""

    points: Points
    """(N, 2)."""
    explained: tuple[float, ...]
    """Share of the variance along each axis; empty for t-SNE."""


def project(points: Points, method: PlotMethod) -> Plane:
    """(N, D) in a plane; raises InputError where t-SNE's package is not installed or there are too few points."""
    if len(points) < 4:
        raise InputError(f"{len(points)} points make no picture: ask for more samples")
    return compute_principal_components(points) if method == "pca" else _compute_tsne(points)


def compute_principal_components(points: Points) -> Plane:
    """First two principal components; the largest weight of each axis is positive."""
    centred = points - points.mean(axis=0)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    two = axes[:2] * np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    variance = lengths**2
    shares = variance[:2] / max(float(variance.sum()), 1e-30)
    return Plane(centred @ two.T, tuple(shares.tolist()))


def _compute_tsne(points: Points) -> Plane:
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise InputError(
            "t-SNE needs scikit-learn, which is not installed: pip install 'lovt-tui[analysis]', or choose --plot pca"
        ) from error
    perplexity = min(_PERPLEXITY, (len(points) - 1) / 3)
    return Plane(
        TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(points).astype(np.float64), explained=()
    )
