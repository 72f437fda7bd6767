"""Whether encoders are there, told before a run and in the words of the run itself."""

import json

import pytest

from lovt_core.config.loading import load_experiment, shipped_folder
from lovt_core.errors import ConfigError, MissingWeightsError
from lovt_core.models import hub, language_sources
from lovt_core.models.presence import check_encoders

TINY = shipped_folder() / "tiny/lovt.yaml"
BERT = "emilyalsentzer/Bio_ClinicalBERT"


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(language_sources, "cached_file", lambda repository, name: None)
    monkeypatch.setenv("LOVT_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)


def method(*overrides):
    return load_experiment(TINY, [f"method.{override}" for override in overrides]).method


def save_bert(folder, layers=4, width=48):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"num_hidden_layers": layers, "hidden_size": width}))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("image_encoder.weights=/nosuch.safetensors", "image weights '/nosuch.safetensors': there is no such file"),
        (
            "image_encoder.weights=r/model.safetensors",
            "image weights 'r/model.safetensors': there is no such file",
        ),
        (
            "image_encoder.weights=mine",
            "image weights 'mine' are neither a file nor in .*weights: put model",
        ),
        (f"report_encoder.model={BERT}", f"language model '{BERT}' is not on this machine and the model hub cannot"),
        ("report_encoder.model=./mine", "report_encoder.model: there is no config.json in ./mine"),
    ],
)
def test_what_is_missing_is_said(override, message):
    with pytest.raises(MissingWeightsError, match=message):
        check_encoders(method(override))


def test_what_is_there_is_taken(tmp_path):
    save_bert(tmp_path / "weights" / BERT)
    (tmp_path / "mine.safetensors").touch()
    check_encoders(method())
    check_encoders(method(f"report_encoder.model={BERT}", "image_encoder.weights=mine.safetensors"))


def test_a_model_that_the_hub_would_send_is_taken(monkeypatch):
    monkeypatch.setattr(language_sources, "hub_is_reachable", lambda: True)
    check_encoders(method(f"report_encoder.model={BERT}"))


def test_a_saved_model_of_other_sizes_is_refused(tmp_path):
    save_bert(tmp_path / "bert", layers=2)
    with pytest.raises(ConfigError) as caught:
        check_encoders(
            method("report_encoder.model=./bert", "report_encoder.frozen_layers=6", "report_encoder.num_heads=5")
        )
    bert = str(tmp_path / "bert")
    assert str(caught.value).splitlines() == [
        f"method.report_encoder.frozen_layers: is 6, but '{bert}' has 2 layers",
        "method.report_encoder.num_heads: is 5, which does not divide the width 48 of the encoder",
    ]


def test_relative_paths_begin_beside_the_file_or_in_the_current_folder(tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "a.pth").touch()
    (tmp_path / "b.pth").touch()
    file = tmp_path / "project" / "mine.yaml"
    file.write_text("base: tiny/lovt.yaml\nmethod: {image_encoder: {weights: a.pth}}\n")
    assert load_experiment(file).method.image_encoder.weights == str(tmp_path / "project" / "a.pth")
    chosen = load_experiment(file, ["method.image_encoder.weights=./b.pth"])
    assert chosen.method.image_encoder.weights == str(tmp_path / "b.pth")
    assert load_experiment(TINY).method.image_encoder.weights == "random"
