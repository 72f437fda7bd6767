"""Whole pre-trainings on a tiny synthetic download: data, seeds, resume to the bit, what a checkpoint says, faults."""

import json
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from lovt_core.config.evaluation import EvaluateExperiment
from lovt_core.config.experiment import PretrainExperiment
from lovt_core.data.overlap import MAX_DISTANCE
from lovt_core.data.pairs import open_pairs
from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.prepared import open_prepared
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.errors import ConfigError, DataError
from lovt_core.evaluate import evaluate
from lovt_core.methods import paired_training
from lovt_core.methods.paired_batches import BatchSize, PairedBatches
from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.models.language_models import build_tokenizer
from lovt_core.models.report_encoder import ReportEncoder
from lovt_core.pretrain import check, pretrain
from lovt_core.training.checkpoint import load_checkpoint
from lovt_core.values import Alarm, CheckpointSaved, Ended, Metrics, Note, Result
from tests.core.evaluation.factories import make_place

SIZE = 64


@pytest.fixture(scope="module")
def prepared_root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    for name, count in (("covid-chestxray", 64), ("covid-rural", 48)):
        synthesize(folder / name, Synthesis(name, count, SIZE, workers=1), lambda progress: None)
        options = PrepareOptions(size=SIZE, workers=1)
        prepare(name, folder / name, folder / "prepared", options, lambda progress: None)
    return folder / "prepared"


@pytest.fixture
def place(prepared_root, tmp_path):
    return make_place(prepared_root, tmp_path)


def make_experiment(**changes):
    document = {
        "name": "tiny",
        "data": {"name": "covid-chestxray", "image_size": SIZE, "normalisation": "image"},
        "method": {
            "image_encoder": {"backbone": "test_resnet", "weights": "random", "stride": 16},
            "report_encoder": {
                "model": "tiny",
                "tiny": {"width": 32, "layers": 2, "dropout": 0.1, "vocabulary_size": 128},
                "freeze_embeddings": False,
                "frozen_layers": 0,
                "max_tokens": 128,
            },
            "projection": {"hidden": 32, "size": 16},
        },
        "training": {
            "batch_size": 8,
            "accumulate": 2,
            "max_epochs": 2,
            "precision": "fp32",
            "optimiser": {"learning_rate": 1e-3},
        },
    }
    for key, value in changes.items():
        document[key] = {**document.get(key, {}), **value} if isinstance(value, dict) else value
    return PretrainExperiment.model_validate(document)


def losses_of(values):
    return {
        (value.step, name): number.hex()
        for value in values
        if isinstance(value, Metrics)
        for name, number in value.values.items()
        if not name.startswith("time/")
    }


@pytest.fixture(scope="module")
def unbroken(prepared_root, tmp_path_factory):
    """All values of a whole training, and where it worked."""
    place = make_place(prepared_root, tmp_path_factory.mktemp("unbroken"))
    return list(pretrain(make_experiment(), place)), place


def test_yields_notes_losses_and_checkpoints(unbroken):
    values, _ = unbroken
    assert not [value for value in values if isinstance(value, Alarm)]
    notes = [value.message for value in values if isinstance(value, Note)]
    assert any("split by patient with seed 0" in note for note in notes)
    names = {name for value in values if isinstance(value, Metrics) for name in value.values}
    local = ("regions/local_to_attended", "regions/attended_to_local")
    local += ("sentences/local_to_attended", "sentences/attended_to_local")
    for loss in ("loss", "global/image_to_report", "global/report_to_image", *local):
        assert {f"train/{loss}", f"val/{loss}"} <= names
    saved = [value for value in values if isinstance(value, CheckpointSaved)]
    assert saved
    assert any(value.is_best for value in saved)


@pytest.mark.parametrize("count", [3, 5, 9])
def test_broken_off_and_resumed_gives_the_same_losses_to_the_bit(unbroken, prepared_root, tmp_path, count):
    expected = losses_of(unbroken[0])
    place = make_place(prepared_root, tmp_path)
    experiment = make_experiment(training={"checkpoint_every_steps": 1})
    first = list(islice(pretrain(experiment, place), count))
    saved = [value.name for value in first if isinstance(value, CheckpointSaved)]
    best = [value.name for value in first if isinstance(value, CheckpointSaved) and value.is_best]
    again = replace(
        place,
        attempt=2,
        last_checkpoint=saved[-1] if saved else None,
        best_checkpoint=best[-1] if best else None,
    )
    torch.manual_seed(999)  # what the process did before must not matter
    second = list(pretrain(experiment, again))
    assert losses_of(second)
    assert losses_of(first) | losses_of(second) == expected


def test_a_stop_saves_and_ends(prepared_root, tmp_path):
    asked = iter([None, None, "stopped"])
    place = make_place(prepared_root, tmp_path, stop_requested=lambda: next(asked, "stopped"))
    values = list(pretrain(make_experiment(training={"accumulate": 1}), place))
    assert values[-1] == Ended("stopped")
    assert isinstance(values[-2], CheckpointSaved)


def test_checkpoint_describes_encoder_images_and_data(unbroken, prepared_root):
    values, place = unbroken
    saved = [value.name for value in values if isinstance(value, CheckpointSaved) and value.is_best]
    checkpoint = load_checkpoint(place.checkpoints / saved[-1])
    describe = json.loads(json.dumps(dict(checkpoint.describe)))
    assert describe["image_encoder"] == {"backbone": "test_resnet", "stride": 16, "weights": "random"}
    assert describe["data"]["fingerprint"] == open_prepared(prepared_root, "covid-chestxray").fingerprint
    assert describe["images"] == {"size": SIZE, "normalisation": "image", "mean": None, "deviation": None}
    assert (checkpoint.folder / "tokenizer" / "tokenizer.json").is_file()


def test_a_pre_trained_encoder_is_evaluated(unbroken):
    values, place = unbroken
    saved = [value.name for value in values if isinstance(value, CheckpointSaved) and value.is_best]
    judge = replace(place, find_checkpoint=lambda run, which: place.checkpoints / saved[-1])
    settings = {"image_size": SIZE, "stride": 16, "replicates": 2, "max_epochs": 2, "learning_rates": [1e-2]}
    experiment = EvaluateExperiment.model_validate(
        {"name": "judge", "encoder": {"source": "run"}, "tasks": ["covid-linear"], "settings": settings}
    )
    cell = [value.data for value in evaluate(experiment, judge) if isinstance(value, Result)][-1]
    assert cell["encoder"]["pretrained_on"] == ["covid-chestxray"]
    assert cell["encoder"]["backbone"] == "test_resnet"


def test_of_a_trial_the_encoder_is_kept_and_nothing_else(unbroken, prepared_root, tmp_path):
    experiment = make_experiment(training={"keep": "encoder"})
    place = make_place(prepared_root, tmp_path)
    values = list(pretrain(experiment, place))
    assert losses_of(values) == losses_of(unbroken[0])
    saved = [value for value in values if isinstance(value, CheckpointSaved)]
    assert [path.name for path in place.checkpoints.iterdir()] == [saved[-1].name]
    assert (saved[-1].is_best, saved[-1].is_last) == (True, False)
    best = [value.name for value in unbroken[0] if isinstance(value, CheckpointSaved) and value.is_best][-1]
    assert saved[-1].name == f"{best}.encoder"
    whole = load_checkpoint(unbroken[1].checkpoints / best)
    kept = load_checkpoint(place.checkpoints / saved[-1].name)
    assert (kept.step, dict(kept.describe)) == (whole.step, dict(whole.describe))
    tensors, expected = kept.load_model(), whole.load_model()
    assert set(tensors) == {name for name in expected if name.startswith("image_encoder.")}
    assert all(torch.equal(tensors[name], expected[name]) for name in tensors)
    again = replace(place, attempt=2, last_checkpoint="8-a1", best_checkpoint=saved[-1].name)
    assert [value for value in pretrain(experiment, again) if isinstance(value, Metrics | CheckpointSaved)] == []
    with pytest.raises(ValidationError, match="of an encoder alone nothing can be extended"):
        make_experiment(training={"keep": "encoder", "keep_state": True})


def test_check_reports_two_real_steps(place):
    report = [value.data for value in check(make_experiment(), place) if isinstance(value, Result)]
    assert len(report) == 1
    assert report[0]["device"] == "cpu"
    assert report[0]["total_steps"] == 6  # 51 training pairs: 6 batches of 8, two to a step, 2 epochs
    assert report[0]["seconds_per_step"] > 0
    assert report[0]["peak_memory_gib"] > 0
    assert report[0]["frozen_parameters"] == 0


# Pairs and batches


def make_batches(pairs, experiment, image_size=SIZE, pairs_in_batch=8):
    sentences = [sentence for sample in pairs.prepared.samples for sentence in sample.sentences]
    tokenizer = build_tokenizer(experiment.method.report_encoder, sentences)
    size = BatchSize(pairs_in_batch, image_size, torch.device("cpu"))
    return PairedBatches(pairs, tokenizer, experiment.augmentation, size)


def test_an_epoch_shows_each_pair_at_most_once_and_validation_all(prepared_root):
    experiment = make_experiment()
    pairs = open_pairs(experiment.data, prepared_root)
    batches = make_batches(pairs, experiment)
    training = list(batches.training_batches(1, 0, 0))
    assert len(training) == batches.batches_per_epoch == len(pairs.train) // 8
    assert all(batch.images.shape == (8, 1, SIZE, SIZE) for batch in training)
    assert sum(len(batch.images) for batch in batches.validation_batches(1, 0)) == len(pairs.validation)


def test_batches_depend_on_seed_and_epoch_alone(prepared_root):
    experiment = make_experiment()
    batches = make_batches(open_pairs(experiment.data, prepared_root), experiment)
    whole = list(batches.training_batches(1, 3, 0))
    skipped = list(batches.training_batches(1, 3, 2))
    for batch, same in zip(whole[2:], skipped, strict=True):
        assert torch.equal(batch.images, same.images)
        assert torch.equal(batch.tokens.input_ids, same.tokens.input_ids)
    other_epoch = next(batches.training_batches(1, 4, 0))
    assert not torch.equal(whole[0].images, other_epoch.images)


def test_images_are_normalised_by_the_training_split(prepared_root):
    experiment = make_experiment(
        data={"normalisation": "dataset"}, augmentation={"image": {"enabled": False}, "report": {}}
    )
    pairs = open_pairs(experiment.data, prepared_root)
    batches = make_batches(pairs, experiment)
    images = torch.cat([batch.images for batch in batches.training_batches(1, 0, 0)])
    assert abs(float(images.mean())) < 0.1
    assert float(images.std()) == pytest.approx(1, abs=0.1)


def test_a_fraction_takes_the_first_pairs_and_keeps_the_statistics(prepared_root):
    whole = open_pairs(make_experiment(data={"normalisation": "dataset"}).data, prepared_root)
    third = open_pairs(make_experiment(data={"normalisation": "dataset", "train_fraction": 0.3}).data, prepared_root)
    assert third.train == whole.train[: int(0.3 * len(whole.train))]
    assert third.validation == whole.validation
    assert third.statistics == whole.statistics


def test_overlapping_pairs_are_left_out_and_counted(data_folder, tmp_path):
    for name, source in (("covid-chestxray", "covid_chestxray"), ("covid-rural", "lungs_covid_rural_layout")):
        prepare(name, data_folder / source, tmp_path, PrepareOptions(), lambda progress: None)
    kept = open_pairs(make_experiment(data={"exclude_overlap_with": ["covid-rural"]}).data, tmp_path)
    everything = open_pairs(make_experiment().data, tmp_path)
    assert 0 < len(kept.train) < len(everything.train)
    assert any("left out because an image is also in covid-rural" in note for note in kept.notes)
    assert kept.identity["exclude_overlap_with"] == ["covid-rural"]
    others = open_prepared(tmp_path, "covid-rural").hashes
    for row in kept.train:
        for image in kept.prepared.samples[row].images:
            distance = np.bitwise_count(kept.prepared.hashes[image] ^ others).sum(axis=1).min()
            assert distance > MAX_DISTANCE


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"data": {"name": "covid-rural"}}, DataError, "has masks instead of reports"),
        ({"training": {"batch_size": 512}}, ConfigError, r"training pairs that are left \(51\): lower it"),
        ({"training": {"precision": "fp16"}}, ConfigError, "needs a GPU"),
    ],
)
def test_what_cannot_be_trained_is_said_in_one_sentence(place, changes, error, words):
    with pytest.raises(error, match=words):
        list(pretrain(make_experiment(**changes), place))


def test_data_that_is_not_prepared_names_the_command(tmp_path):
    with pytest.raises(DataError, match="lovt data prepare covid-chestxray --source DIR"):
        list(pretrain(make_experiment(), make_place(tmp_path / "none", tmp_path)))


def test_a_check_goes_on_in_smaller_micro_batches_where_memory_runs_out(place, monkeypatch):
    encode = ImageEncoder.forward_features

    def encode_four(self, images):
        if len(images) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return encode(self, images)

    monkeypatch.setattr(ImageEncoder, "forward_features", encode_four)
    values = list(check(make_experiment(), place))
    notes = [value.message for value in values if isinstance(value, Alarm) and "memory" in value.message]
    assert notes == ["out of GPU memory at step 1: encoders now run over 4 of the 8 samples at once"]
    assert isinstance(values[-1], Result)


def test_one_key_compiles_the_encoders_and_pads_reports_to_few_lengths(place, monkeypatch):
    compiled, lengths = [], []
    monkeypatch.setattr(paired_training, "compile_encoders", compiled.append)
    encode = ReportEncoder.forward
    monkeypatch.setattr(
        ReportEncoder, "forward", lambda self, tokens: lengths.append(tokens.input_ids.shape[1]) or encode(self, tokens)
    )
    list(check(make_experiment(training={"compile": True}), place))
    assert len(compiled) == 1
    assert {length % paired_training.TOKEN_BUCKET for length in lengths} == {0}
    list(check(make_experiment(), place))
    assert len(compiled) == 1
