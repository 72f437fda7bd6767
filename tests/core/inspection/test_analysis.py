"""Embeddings of a trained checkpoint, in figures."""

import numpy as np
import pytest
import torch

from lovt_core.config.inspection import EmbeddingRequest, TrainedRun
from lovt_core.errors import DataError
from lovt_core.inspection.analysis import analyse
from lovt_core.inspection.embeddings import embed_batches, encode_pairs
from lovt_core.inspection.own_data import open_own_pairs
from lovt_core.inspection.trained_method import open_trained
from lovt_core.results.published_statistics import load_published_statistics
from lovt_core.values import Note, Progress, Result
from tests.core.inspection.trained import RUN, make_experiment, train


def ask(place, experiment=None, **asked):
    request = EmbeddingRequest(run=RUN, **{"part": "training", **asked})
    values = list(analyse(experiment or make_experiment(), request, place))
    (result,) = [dict(value.data) for value in values if isinstance(value, Result)]
    return result, values


def test_embeddings_of_a_pair_do_not_depend_on_the_others(place):
    """40 pairs are two batches; each pair alone gives the same: padding changes nothing."""
    method = open_trained(TrainedRun(run=RUN), place)
    own = open_own_pairs(make_experiment().data, method.data, "training", place.prepared_root)
    pairs = encode_pairs(method, own, own.rows)
    (together, *_) = embed_batches(method, pairs)
    assert together.grid == (4, 4)
    for number, pair in enumerate(pairs[:5]):
        (alone,) = embed_batches(method, [pair])
        count = int(alone.report.mask.sum())
        assert int(together.report.mask[number].sum()) == count
        both = [each.as_published(has_local_losses=True) for each in (together, alone)]
        for name in ("image", "report", "image_projection", "report_projection", "regions", "attended_regions"):
            one, other = (getattr(each, name) for each in both)
            torch.testing.assert_close(one[number], other[0], atol=1e-5, rtol=1e-4)
        for name in ("sentences", "sentence_projections", "attended_sentences"):
            one, other = (getattr(each, name) for each in both)
            torch.testing.assert_close(one[number, :count], other[0, :count], atol=1e-5, rtol=1e-4)


def test_all_published_statistics_are_computed(place):
    statistics = ask(place)[0]["statistics"]
    assert set(statistics) == set(load_published_statistics())
    assert all(np.isfinite(value) for value in statistics.values())
    method = open_trained(TrainedRun(run=RUN), place)
    own = open_own_pairs(make_experiment().data, method.data, "training", place.prepared_root)
    batches = embed_batches(method, encode_pairs(method, own, own.rows))
    images = torch.cat([batch.representations.image_projection for batch in batches])
    unit = (images / images.norm(dim=1, keepdim=True)).numpy()
    assert statistics["emb/zg_a/ch_std"] == pytest.approx(unit.std(axis=0, ddof=1).mean(), rel=1e-4)


def test_result_says_what_was_looked_at(place):
    result, values = ask(place, samples=10, plot="pca")
    assert (result["num_samples"], result["part"], result["data"]) == (10, "training", "covid-chestxray")
    assert result["of"] > 10
    assert any(isinstance(value, Progress) for value in values)
    assert set(result["smoothness"]) == {"yl_a", "zl_a"}
    assert np.shape(result["planes"]["global"]["image"]) == np.shape(result["planes"]["global"]["report"]) == (10, 2)
    assert np.shape(result["planes"]["local"]["image"]) == (160, 2)
    assert sum(result["planes"]["global"]["explained"]) <= 1 + 1e-9
    assert ask(place, samples=10)[0]["planes"] == {}


def test_random_local_projections_are_said_to_be_so(prepared_root, tmp_path):
    experiment = make_experiment(objective={"regions": None, "sentences": None, "local_weights": "uniform"})
    trained = train(prepared_root, tmp_path, experiment)
    result, values = ask(trained, experiment, samples=8)
    assert "emb/zl_a;zl_b2a/sample_rmse" not in result["statistics"]
    assert [value.message for value in values if isinstance(value, Note)] == [
        "no local loss trained this run: its local projections (zl) are random"
    ]


def test_random_global_projections_are_said_to_be_so(prepared_root, tmp_path):
    experiment = make_experiment(objective={"global": None})
    _, values = ask(train(prepared_root, tmp_path, experiment), experiment, samples=8)
    assert [value.message for value in values if isinstance(value, Note)] == [
        "no global loss trained this run: its global projections (zg) are random"
    ]


def test_parts_that_cannot_be_analysed(place):
    with pytest.raises(DataError, match="has no test samples"):
        ask(place, part="test")
