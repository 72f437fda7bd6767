"""Embeddings in a plane."""

import sys

import numpy as np
import pytest

from lovt_core.errors import InputError
from lovt_core.inspection.planes import project


@pytest.fixture
def cloud():
    generator = np.random.default_rng(0)
    return generator.normal(size=(50, 8)) * np.array([5, 3, 1, 1, 0.5, 0.5, 0.1, 0.1]) + 7


def test_principal_components_are_those_of_the_covariance(cloud):
    plane = project(cloud, "pca")
    values, vectors = np.linalg.eigh(np.cov(cloud.T))
    for axis in range(2):
        vector = vectors[:, -1 - axis]
        vector *= np.sign(vector[np.abs(vector).argmax()])
        np.testing.assert_allclose(plane.points[:, axis], (cloud - cloud.mean(axis=0)) @ vector, atol=1e-9)
        assert plane.explained[axis] == pytest.approx(values[-1 - axis] / values.sum())


def test_tsne_keeps_groups_apart_and_is_always_the_same(cloud):
    pytest.importorskip("sklearn")
    groups = np.concatenate([cloud, cloud + 100])
    plane = project(groups, "tsne")
    assert plane.explained == ()
    np.testing.assert_array_equal(plane.points, project(groups, "tsne").points)
    first, second = plane.points[:50], plane.points[50:]
    apart = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    assert apart > 2 * max(first.std(axis=0).max(), second.std(axis=0).max())


def test_tsne_without_its_package(cloud, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(InputError, match=r"t-SNE needs scikit-learn.*choose --plot pca"):
        project(cloud, "tsne")


def test_too_few_points():
    with pytest.raises(InputError, match="3 points make no picture"):
        project(np.ones((3, 4)), "pca")
