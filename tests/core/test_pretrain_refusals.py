"""Pre-training from checkpoints that do not fit, and reports that are longer than the tokenizer's limit."""

from dataclasses import replace

import pytest

from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.errors import ConfigError, DataError
from lovt_core.pretrain import check, pretrain
from lovt_core.training.checkpoint import MODEL_FILE
from lovt_core.training.saver import check_steps
from lovt_core.values import CheckpointSaved, Metrics, Note
from tests.core.evaluation.factories import make_place
from tests.core.methods.image_methods import ENCODER, SIZE, TINY
from tests.core.methods.image_methods import make_experiment as make_image_experiment
from tests.core.test_pretrain import make_experiment

ONE_STEP = {"max_steps": 1, "accumulate": 1, "keep_state": True}


@pytest.fixture(scope="module")
def prepared_root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    for name in ("mimic-cxr", "covid-chestxray"):
        synthesize(folder / name, Synthesis(name, 40, SIZE, workers=1), lambda progress: None)
        options = PrepareOptions(size=SIZE, workers=1)
        prepare(name, folder / name, folder / "prepared", options, lambda progress: None)
    return folder / "prepared"


@pytest.fixture
def place(prepared_root, tmp_path):
    return make_place(prepared_root, tmp_path)


def resume(experiment, changed, place):
    """Train one step of `experiment`, then go on from its checkpoint with `changed`."""
    saved = [value.name for value in pretrain(experiment, place) if isinstance(value, CheckpointSaved)]
    again = replace(place, attempt=2, last_checkpoint=saved[-1])
    return list(pretrain(changed, again)), saved[-1]


def refuse(experiment, changed, place):
    with pytest.raises(ConfigError) as caught:
        resume(experiment, changed, place)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_resuming_from_another_method_is_refused(place):
    byol = make_image_experiment("byol", training=ONE_STEP)
    said = refuse(byol, make_image_experiment("simclr", training=ONE_STEP), place)
    assert "is of method 'byol', the experiment's is 'simclr': set method.name to 'byol'" in said


def test_resuming_with_other_batches_is_refused(place):
    byol = make_image_experiment("byol", training=ONE_STEP)
    smaller = make_image_experiment("byol", training={**ONE_STEP, "batch_size": 4})
    said = refuse(byol, smaller, place)
    assert "the training cannot go on at its step, for training.batch_size was 8 and is 4 now: set it" in said
    assert said.endswith("set it back, or start a new run")


def test_older_states_do_not_say_how_their_steps_were_made():
    check_steps({}, {"training.batch_size": 4})
    with pytest.raises(ConfigError, match=r"training\.accumulate was 2 and is 3 now: set it back"):
        check_steps({"training.accumulate": 2}, {"training.batch_size": 4, "training.accumulate": 3})


def test_a_single_validation_pair_is_refused(place):
    alone = {"validation_fraction": 0.01}
    with pytest.raises(DataError, match="covid-chestxray leaves one validation pair, which has no others"):
        list(pretrain(make_experiment(data=alone), place))
    local = make_experiment(data=alone, training=ONE_STEP)
    objective = local.method.objective.model_copy(update={"global_": None})
    method = local.method.model_copy(update={"objective": objective})
    assert list(pretrain(local.model_copy(update={"method": method}), place))


def test_resuming_from_a_paired_method_is_refused(place):
    paired = make_experiment(training=ONE_STEP)
    said = refuse(paired, make_image_experiment("simclr", training=ONE_STEP), place)
    assert "is of method 'lovt', the experiment's is 'simclr'" in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hidden": 48}, "projector.before.weight is 32 x 192 there and 48 x 192 in the experiment"),
        ({"image_encoder": ENCODER | {"backbone": "test_byobnet"}}, "in the experiment: give `method` the settings"),
        (
            {"image_encoder": ENCODER | {"stride": 8}},
            "projector.before.weight is 32 x 192 there and 32 x 48 in",
        ),
    ],
)
def test_resuming_from_another_size_is_refused(place, changes, words):
    experiment = make_image_experiment("simclr", training=ONE_STEP)
    changed = make_image_experiment("simclr", method=TINY["simclr"] | changes, training=ONE_STEP)
    assert words in refuse(experiment, changed, place)


def test_an_encoder_begins_from_a_checkpoint_of_any_method_of_its_size(place):
    byol = make_image_experiment("byol", training=ONE_STEP)
    saved = [value.name for value in pretrain(byol, place) if isinstance(value, CheckpointSaved)][-1]
    file = place.checkpoints / saved / MODEL_FILE
    warm = {"image_encoder": ENCODER | {"weights": str(file)}}
    simclr = make_image_experiment("simclr", method=TINY["simclr"] | warm, training=ONE_STEP)
    fresh = replace(place, checkpoints=place.checkpoints.with_name("fresh"))
    assert any(isinstance(value, Metrics) for value in pretrain(simclr, fresh))
    other = {"image_encoder": ENCODER | {"weights": str(file), "backbone": "test_byobnet", "stride": 32}}
    with pytest.raises(ConfigError, match=r"image_encoder\.weights .*test_byobnet") as caught:
        list(pretrain(make_image_experiment("simclr", method=TINY["simclr"] | other), fresh))
    assert "\n" not in str(caught.value)


def notes(values):
    return [value.message for value in values if isinstance(value, Note)]


def test_reports_that_are_cut_are_counted(place):
    def with_limit(max_tokens):
        tiny = make_experiment(training=ONE_STEP)
        encoder = tiny.method.report_encoder.model_copy(update={"max_tokens": max_tokens})
        return tiny.model_copy(update={"method": tiny.method.model_copy(update={"report_encoder": encoder})})

    for job in (pretrain, check):
        (note,) = [said for said in notes(job(with_limit(12), place)) if "max_tokens" in said]
        number = int(note.split()[0])
        assert 0 < number <= 40
        assert "reports have more than method.report_encoder.max_tokens (12) tokens" in note
        assert "the sentences that do not fit are left out" in note
    assert not [said for said in notes(check(with_limit(512), place)) if "max_tokens" in said]
