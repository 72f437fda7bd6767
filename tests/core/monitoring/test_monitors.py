"""Figures of a validation against naive sums; what is left out, bounded, padded and in which precision."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lovt_core.monitoring.embeddings import ImageEmbeddings, PairEmbeddings
from lovt_core.monitoring.monitors import LIMIT, ImageMonitor, PairMonitor
from tests.core.monitoring import naive_statistics as naive

_GRID = (2, 3)


def _make_pairs(counts: tuple[int, ...], seed: int) -> PairEmbeddings:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(len(counts), *shape, generator=generator) + 0.3

    return PairEmbeddings(
        sentence_mask=torch.arange(4) < torch.tensor(counts)[:, None],
        grid=_GRID,
        regions=draw(6, 8),
        image=draw(8),
        report=draw(5),
        image_projection=draw(4),
        report_projection=draw(4),
        region_projections=draw(6, 4),
        sentence_projections=draw(4, 4),
        attended_regions=draw(6, 4),
        attended_sentences=draw(4, 4),
    )


@pytest.fixture
def batches() -> list[PairEmbeddings]:
    return [_make_pairs((4, 2, 3, 1), 0), _make_pairs((3, 3, 2), 1)]


def _monitor(batches: list[PairEmbeddings]) -> dict[str, float]:
    monitor = PairMonitor()
    for batch in batches:
        monitor.update(batch)
    return monitor.compute()


def test_spread_and_alignment_of_all_pairs_together(batches: list[PairEmbeddings]) -> None:
    got = _monitor(batches)
    names = ("image_projection", "report_projection")
    images, reports = (
        np.concatenate([naive.unit(getattr(b, name).double().numpy()) for b in batches]) for name in names
    )
    for side, vectors in (("image", images), ("report", reports)):
        published = naive.of_global([vectors])
        assert got[f"{side}/std"] == pytest.approx(published["ch_std"], rel=1e-5)
        assert got[f"{side}/covariance"] == pytest.approx(published["cov_offdiagonal"], rel=1e-4)
        assert got[f"{side}/uniformity"] == pytest.approx(naive.mean_pairwise_kernel(vectors), rel=1e-4)
    apart = [naive.distance(x, y) ** 2 for x, y in zip(images, reports, strict=True)]
    assert got["alignment/pairs"] == pytest.approx(np.mean(apart), rel=1e-5)
    hits = [np.argmax(reports @ image) == row for row, image in enumerate(images)]
    assert got["retrieval/top1_image_to_report"] == pytest.approx(np.mean(hits))
    hits = [row in np.argsort(images @ report)[-5:] for row, report in enumerate(reports)]
    assert got["retrieval/top5_report_to_image"] == pytest.approx(np.mean(hits))


def test_local_figures_are_the_published_statistics_without_padding(batches: list[PairEmbeddings]) -> None:
    got = _monitor(batches)
    for group, name, within in (
        ("features", "regions", "std_within_image"),
        ("regions", "region_projections", "std_within_image"),
        ("sentences", "sentence_projections", "std_within_report"),
    ):
        space = []
        for batch in batches:
            rows = naive.unit(getattr(batch, name).double().numpy())
            real = batch.sentence_mask.numpy() if group == "sentences" else np.ones(rows.shape[:2], dtype=bool)
            space.append([row[kept] for row, kept in zip(rows, real, strict=True)])
        published = naive.of_local(space)
        assert got[f"{group}/std"] == pytest.approx(published["ch_std"], rel=1e-5)
        assert got[f"{group}/{within}"] == pytest.approx(published["ch_std_per_sample"], rel=1e-5)


def test_what_is_not_compared_is_left_out(batches: list[PairEmbeddings]) -> None:
    local = [replace(batch, image_projection=None, report_projection=None) for batch in batches]
    assert {name.split("/")[0] for name in _monitor(local)} == {
        "features",
        "regions",
        "sentences",
        "alignment",
        "retrieval",
    }
    pairs = [replace(batch, attended_regions=None, attended_sentences=None) for batch in batches]
    assert {name.split("/")[0] for name in _monitor(pairs)} == {"features", "image", "report", "alignment", "retrieval"}


def test_bfloat16_is_widened_before_anything_is_computed(batches: list[PairEmbeddings]) -> None:
    names = ("regions", "image_projection", "report_projection", "region_projections", "attended_regions")
    narrow = [replace(b, **{name: getattr(b, name).bfloat16() for name in names}) for b in batches]
    wide = [replace(b, **{name: getattr(b, name).float() for name in names}) for b in narrow]
    assert _monitor(narrow) == _monitor(wide)


def test_no_more_than_the_limit_is_kept() -> None:
    monitor = ImageMonitor()
    regions = torch.ones(LIMIT // 2, 1, 2)
    for value in (1.0, 2.0, 100.0):
        projection = torch.tensor([1.0, value]).expand(len(regions), 2)
        monitor.update(ImageEmbeddings(regions, (1, 1), (projection, projection)))
    unit = naive.unit(np.array([[1.0, 1.0], [1.0, 2.0]]))
    assert monitor.compute()["image/std"] == pytest.approx(float(unit.std(axis=0).mean()), rel=1e-3)


def test_a_single_pair_has_nothing_to_be_told_from() -> None:
    values = _monitor([_make_pairs((3,), 0)])
    assert "image/std" not in values
    assert values["regions/std"] == pytest.approx(values["regions/std_within_image"])


def test_views_that_are_alike_are_found(batches: list[PairEmbeddings]) -> None:
    generator = torch.Generator().manual_seed(2)
    first, cells = torch.randn(20, 8, generator=generator), torch.randn(20, 6, 4, generator=generator)
    monitor = ImageMonitor()
    monitor.update(ImageEmbeddings(torch.randn(20, 6, 8, generator=generator), _GRID, (first, first + 0.01), cells))
    values = monitor.compute()
    assert values["retrieval/top1_view_to_view"] == 1
    assert values["alignment/views"] < 0.01
    assert values["image/std"] == pytest.approx(8**-0.5, rel=0.2)
    assert {"regions/std", "regions/std_within_image", "features/smoothness"} <= values.keys()
