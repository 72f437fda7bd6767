"""Attention over regions of a trained checkpoint."""

import numpy as np
import pytest
import torch

from lovt_core.config.inspection import RegionsRequest
from lovt_core.data.region_pictures import draw_region_sheet, list_maps, read_panels
from lovt_core.errors import DataError, InputError
from lovt_core.inspection.own_data import open_own_pairs, spread
from lovt_core.inspection.regions import find_regions
from lovt_core.inspection.trained_method import open_trained
from lovt_core.values import Progress, Result
from tests.core.inspection.trained import RUN, make_experiment, train

GLOBAL_ONLY = {"regions": None, "sentences": None, "local_weights": "uniform"}


def ask(place, experiment=None, **asked):
    values = list(find_regions(experiment or make_experiment(), RegionsRequest(run=RUN, **asked), place))
    return [dict(value.data) for value in values if isinstance(value, Result)], values


def test_attention_of_each_sentence_is_a_distribution_over_regions(place):
    findings, values = ask(place, samples=3)
    assert len(findings) == 3
    assert any(isinstance(value, Progress) for value in values)
    for finding in findings:
        assert finding["grid"] == [4, 4]
        attention = np.array(finding["sentence_attention"])
        assert attention.shape == (len(finding["sentences"]), 16)
        np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(sum(finding["pooling_attention"]), 1, atol=1e-5)
        np.testing.assert_allclose(sum(finding["sentence_weights"]), 1, atol=1e-5)
    assert len({finding["sample"] for finding in findings}) == 3


def test_attention_is_that_of_the_model_itself(place):
    """The same as a forward pass of the whole pair, for the longest report alone in its batch."""
    (finding, *_), _ = ask(place, samples=1)
    method = open_trained(RegionsRequest(run=RUN), place)
    pairs = open_own_pairs(make_experiment().data, method.data, "validation", place.prepared_root)
    (row,) = [row for row in pairs.rows if pairs.prepared.samples[row].id == finding["sample"]]
    tokens = method.encode(pairs.prepared.samples[row].sentences).tokens
    with torch.no_grad():
        regions = method.model.image_encoder.region_features(method.prepare([pairs.image(row)]))
        whole = method.represent(regions, method.report_features([tokens]))
    np.testing.assert_allclose(finding["sentence_attention"], whole.attended.sentence_probabilities[0], atol=1e-6)
    np.testing.assert_allclose(finding["pooling_attention"], whole.region_weights[0], atol=1e-6)


def test_sentences_that_do_not_fit_are_counted(place):
    findings, _ = ask(place, samples=100, part="training")
    assert sum(finding["sentences_cut_off"] for finding in findings) > 0
    for finding in findings:
        assert len(finding["sentence_attention"]) == len(finding["sentences"])


def test_parts_of_the_split_are_those_of_the_training(place):
    method = open_trained(RegionsRequest(run=RUN), place)
    config = make_experiment().data
    training, validation = (
        open_own_pairs(config, method.data, part, place.prepared_root).rows for part in ("training", "validation")
    )
    assert (len(training), len(validation)) == (method.data["num_train"], method.data["num_validation"])
    assert not set(training) & set(validation)
    with pytest.raises(DataError, match="has no test samples: choose validation or training"):
        ask(place, part="test")


def test_spread_takes_first_and_last():
    assert spread(range(10), 3) == (0, 4, 9)
    assert spread((5, 3), 4) == (5, 3)


def test_without_local_losses_only_the_pool_attends(prepared_root, tmp_path):
    experiment = make_experiment(objective=GLOBAL_ONLY)
    trained = train(prepared_root, tmp_path, experiment)
    (finding, *_), _ = ask(trained, experiment, samples=1)
    assert finding["sentence_attention"] is None
    (pooling,) = list_maps(finding)
    assert pooling.title == "pooling"
    assert pooling.grid.sum() == pytest.approx(1, abs=1e-5)


def test_nothing_attends(prepared_root, tmp_path):
    encoder = {"backbone": "test_resnet", "weights": "random", "stride": 16, "pooling": "average"}
    experiment = make_experiment(objective=GLOBAL_ONLY, image_encoder=encoder)
    trained = train(prepared_root, tmp_path, experiment)
    with pytest.raises(InputError, match="neither local losses nor an attention pool"):
        ask(trained, experiment)


def test_a_run_of_another_method_is_refused(prepared_root, tmp_path):
    document = make_experiment().model_dump(by_alias=True)
    document["method"] = {"name": "simclr", "image_encoder": {"backbone": "test_resnet", "weights": "random"}}
    document["method"] |= {"hidden": 16, "size": 8}
    document["augmentation"] = {}
    experiment = type(make_experiment()).model_validate(document)
    trained = train(prepared_root, tmp_path, experiment)
    with pytest.raises(InputError, match=f"run {RUN} was trained by simclr, which reads no reports"):
        open_trained(RegionsRequest(run=RUN), trained)


def test_sheet_holds_the_image_and_every_map(place, tmp_path):
    (finding, *_), _ = ask(place, samples=1)
    image = np.random.default_rng(0).integers(0, 256, (60, 80), dtype=np.uint8)
    maps = list_maps(finding)
    assert [each.title for each in maps] == ["pooling", *(str(n + 1) for n in range(len(finding["sentences"])))]
    file = tmp_path / "sheet.png"
    file.write_bytes(draw_region_sheet(image, maps))
    image_panel, *panels = read_panels(file)
    assert image_panel.caption == "the image"
    assert image_panel.pixels.shape == (192, 256, 3)
    assert [panel.caption.partition(":")[0] for panel in panels] == [each.title for each in maps]
