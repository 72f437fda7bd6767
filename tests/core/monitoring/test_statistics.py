"""The published statistics against sums over single samples and pairs, with and without padding."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from lovt_core.monitoring.embeddings import PairEmbeddings
from lovt_core.monitoring.statistics import EmbeddingStatistics
from tests.core.monitoring import naive_statistics as naive

_SIZES = {"regions": 5, "sentences": 4, "width": 6, "projection": 3}
_SENTENCES = ((4, 1, 2), (3, 3))
"""Sentences of each report of two batches; padded to 4."""


def _make_batch(counts: tuple[int, ...], generator: torch.Generator) -> PairEmbeddings:
    size, regions, sentences = len(counts), _SIZES["regions"], _SIZES["sentences"]
    width, projection = _SIZES["width"], _SIZES["projection"]

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator) + 0.5

    return PairEmbeddings(
        sentence_mask=torch.arange(sentences) < torch.tensor(counts)[:, None],
        regions=draw(size, regions, width),
        sentences=draw(size, sentences, width),
        image=draw(size, width),
        report=draw(size, width),
        region_projections=draw(size, regions, projection),
        sentence_projections=draw(size, sentences, projection),
        image_projection=draw(size, projection),
        report_projection=draw(size, projection),
        attended_regions=draw(size, regions, projection),
        attended_sentences=draw(size, sentences, projection),
        region_weights=torch.softmax(draw(size, regions), dim=1),
    )


@pytest.fixture(scope="module")
def batches() -> list[PairEmbeddings]:
    generator = torch.Generator().manual_seed(5)
    return [_make_batch(counts, generator) for counts in _SENTENCES]


def _compute(batches: list[PairEmbeddings], **settings: str) -> dict[str, float]:
    statistics = EmbeddingStatistics(**settings)  # type: ignore[arg-type]
    for batch in batches:
        statistics.update(batch)
    return statistics.compute()


def _globals(batches: list[PairEmbeddings], name: str) -> list[np.ndarray]:
    return [naive.unit(getattr(batch, name).double().numpy()) for batch in batches]


def _locals(batches: list[PairEmbeddings], name: str, masked: bool = False) -> naive.Space:
    """Only the real ones of each sample."""
    space = []
    for batch in batches:
        rows = naive.unit(getattr(batch, name).double().numpy())
        kept = batch.sentence_mask.numpy() if masked else np.ones(rows.shape[:2], dtype=bool)
        space.append([row[real] for row, real in zip(rows, kept, strict=True)])
    return space


def _expect(batches: list[PairEmbeddings]) -> dict[str, float]:
    zl_a, zl_b = _locals(batches, "region_projections"), _locals(batches, "sentence_projections", masked=True)
    zg_a, zg_b = _globals(batches, "image_projection"), _globals(batches, "report_projection")
    weights = [list(batch.region_weights.double().numpy()) for batch in batches if batch.region_weights is not None]
    both = [[np.concatenate(pair) for pair in zip(a, b, strict=True)] for a, b in zip(zl_a, zl_b, strict=True)]
    means = [[np.array([sample.mean(axis=0) for sample in batch]) for batch in space] for space in (zl_a, zl_b)]
    spaces = {
        "yg_a": naive.of_global(_globals(batches, "image")),
        "yg_b": naive.of_global(_globals(batches, "report")),
        "yl_a": naive.of_local(_locals(batches, "regions")),
        "yl_b": naive.of_local(_locals(batches, "sentences", masked=True)),
        "zg_a": naive.of_global(zg_a),
        "zg_b": naive.of_global(zg_b),
        "zg_a;zg_b": naive.of_global_pair(zg_a, zg_b),
        "zl_a": naive.of_local(zl_a, weights),
        "zl_b": naive.of_local(zl_b),
        "zl_a&b": naive.of_local(both),
        "zl_a_avg": naive.of_global(means[0]),
        "zl_b_avg": naive.of_global(means[1]),
        "zl_a_avg;zl_b_avg": naive.of_global_pair(means[0], means[1]),
        "zl_a;zl_b2a": naive.of_counterparts(zl_a, _locals(batches, "attended_regions"), weights),
        "zl_b;zl_a2b": naive.of_counterparts(zl_b, _locals(batches, "attended_sentences", masked=True)),
        "zl_a||zl_b": naive.of_sets(zl_a, zl_b, weights),
    }
    return {f"emb/{space}/{name}": value for space, values in spaces.items() for name, value in values.items()}


def test_every_statistic_is_the_sum_over_samples_and_pairs(batches: list[PairEmbeddings]) -> None:
    got, expected = _compute(batches), _expect(batches)
    assert sorted(got) == sorted(expected)
    assert got == {name: pytest.approx(value, rel=2e-5, abs=1e-6) for name, value in expected.items()}


def test_names_are_those_published(batches: list[PairEmbeddings], vectors_folder: Path) -> None:
    file = vectors_folder.parent / "published_embedding_statistics.csv"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    with file.open(encoding="utf-8", newline="") as stream:
        published = [row["statistic"] for row in csv.DictReader(stream)]
    assert sorted(_compute(batches)) == sorted(published)


def test_what_stands_in_padded_places_changes_nothing(batches: list[PairEmbeddings]) -> None:
    other = []
    for batch in batches:
        padded = ~batch.sentence_mask[:, :, None]
        changed = {
            name: getattr(batch, name).masked_fill(padded, 7.0)
            for name in ("sentences", "sentence_projections", "attended_sentences")
        }
        other.append(replace(batch, **changed))
    assert _compute(other) == _compute(batches)


def test_published_padding_changes_two_statistics_of_reports(batches: list[PairEmbeddings]) -> None:
    ignored, published = _compute(batches), _compute(batches, padding="published")
    differing = {name for name, value in ignored.items() if published[name] != pytest.approx(value, rel=1e-6)}
    assert differing == {"emb/zl_b;zl_a2b/sample_std_dist", "emb/zl_a||zl_b/1NN_emb2emb_2to1"}
    longest = _make_batch((4, 4), torch.Generator().manual_seed(1))
    assert _compute([longest], padding="published") == pytest.approx(_compute([longest]), nan_ok=True)


def test_length_of_embeddings_does_not_matter(batches: list[PairEmbeddings]) -> None:
    longer = [replace(batch, report=3 * batch.report) for batch in batches if batch.report is not None]
    assert _compute(longer) == pytest.approx(_compute(batches), rel=1e-4)


def test_embeddings_in_bfloat16_are_widened_first(batches: list[PairEmbeddings]) -> None:
    narrow = [replace(batch, image=batch.image.bfloat16()) for batch in batches if batch.image is not None]
    wide = [replace(batch, image=batch.image.float()) for batch in narrow if batch.image is not None]
    assert _compute(narrow) == _compute(wide)


def test_only_what_is_there_is_reported() -> None:
    batch = _make_batch((2, 2), torch.Generator().manual_seed(2))
    alone = PairEmbeddings(sentence_mask=batch.sentence_mask, image_projection=batch.image_projection)
    assert {name.split("/")[1] for name in _compute([alone])} == {"zg_a"}


def test_a_last_batch_of_one_sample_is_finite(batches: list[PairEmbeddings]) -> None:
    lone = _make_batch((3,), torch.Generator().manual_seed(3))
    values = _compute([*batches, lone])
    assert all(np.isfinite(value) for value in values.values())


def test_collapsed_embeddings_have_no_spread() -> None:
    same = torch.ones(8, 5, 4)
    batch = PairEmbeddings(torch.ones(8, 3, dtype=torch.bool), regions=same, image=torch.ones(8, 4))
    values = _compute([batch])
    assert values["emb/yg_a/ch_std"] == pytest.approx(0, abs=1e-7)
    assert values["emb/yl_a/ch_std_per_sample"] == pytest.approx(0, abs=1e-7)
    assert values["emb/yg_a/uniformity"] == pytest.approx(0, abs=1e-6)
