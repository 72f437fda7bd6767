"""Methods told apart by their name, views that are a method's own, and what is said about wrong keys."""

import pytest

from lovt_core.config.data import ViewsConfig
from lovt_core.config.loading import dump_experiment, load_experiment, parse_experiment
from lovt_core.config.methods import METHODS, VIEWS, ByolConfig, LovtConfig
from lovt_core.errors import ConfigError

HEAD = "kind: pretrain\nname: mine\ndata: {name: mimic-cxr}\n"


def read(text):
    return parse_experiment(f"{HEAD}{text}\n", "mine.yaml")


@pytest.mark.parametrize("text", ["", "method: {}", "method: {padding: ignored}", "method: {name: lovt}"])
def test_a_method_without_a_name_is_lovt(text):
    assert read(text).method == LovtConfig()
    assert read(text).augmentation.views is None


@pytest.mark.parametrize("name", METHODS)
def test_what_is_written_out_reads_the_same(name):
    experiment = read(f"method: {{name: {name}}}")
    assert experiment.method.name == name
    assert experiment.augmentation.views == VIEWS.get(name)
    assert parse_experiment(dump_experiment(experiment), "again.yaml") == experiment


def test_views_that_are_left_out_are_those_of_the_method():
    views = read("method: {name: pixelpro}\naugmentation: {views: {per: batch}}").augmentation.views
    assert views == VIEWS["pixelpro"].model_copy(update={"per": "batch"})
    assert read("method: {name: byol}\naugmentation: {views: {per: batch}}").augmentation.views == ViewsConfig(
        per="batch"
    )


def test_overrides_reach_into_a_method(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(HEAD)
    overrides = ["method.name=byol", "method.decay=0.5", "augmentation.views.blur=0"]
    experiment = load_experiment(file, overrides)
    assert experiment.method == ByolConfig(decay=0.5)
    assert experiment.augmentation.views.blur == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("method: {name: simcrl}", "mine.yaml:4: method.name: unknown value 'simcrl': one of lovt, simclr, byol"),
        ("method: {name: simcrl}", r"did you mean 'simclr'\?"),
        ("method: byol", "mine.yaml:4: method: must be a section of keys, not 'byol'"),
        ("method: {name: byol, deccay: 1}", r"4: method.deccay: unknown key; did you mean 'decay'\?"),
        (
            "method: {name: byol, objective: {}}",
            "4: method.name: byol has no objective: drop what stands at mine.yaml:4, or start",
        ),
        ("method: {name: byol, decay: 2}", "4: method.decay: must be at most 1, not 2"),
        (
            "method: {name: byol, image_encoder: {pooling: average}}",
            "method.name: byol has no image_encoder.pooling",
        ),
        ("method: {name: pixelpro, gamma: 0.5}", "4: method.gamma: must be at least 1, not 0.5"),
        ("method: {objectiv: {}}", r"4: method.objectiv: unknown key; did you mean 'objective'\?"),
        (
            "augmentation: {views: {blur: 1}}",
            "augmentation.views: lovt compares no views, only simclr, byol, pixelpro do",
        ),
        ("method: {name: byol}\naugmentation: {views: {blurr: 1}}", r"5: augmentation.views.blurr: .*'blur'\?"),
        ("training: {schedule: {name: cosine, warmup_epochs: 1}}", "'cosine' has no warm-up in epochs"),
        ("training: {schedule: {name: cosine-epochs, warmup_steps: 1}}", "'cosine-epochs' has no warm-up in steps"),
    ],
)
def test_problems_are_named_in_the_words_of_the_file(text, message):
    with pytest.raises(ConfigError, match=message):
        read(text)
