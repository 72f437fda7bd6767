"""Parameter counts and shapes of the shipped experiments' full-size models against `21_param_counts`."""

import json
import os
from pathlib import Path

import pytest
import torch
from transformers import BertConfig

from lovt_core.config.encoders import ReportEncoderConfig
from lovt_core.config.loading import load_experiment, shipped_folder
from lovt_core.methods.batch import PairedBatch
from lovt_core.methods.lovt import build_lovt
from lovt_core.models.language_models import build_tokenizer
from lovt_core.models.report_tokens import SpecialTokens, collate_reports

COMPONENTS = {
    "whole_model": "",
    "scan_encoder.backbone (ResNet-50 without fc)": "image_encoder.trunk.",
    "scan_encoder.attention_pool": "alignment.image_pool.",
    "scan.local_head": "alignment.region_projection.",
    "scan.global_head": "alignment.image_projection.",
    "report_encoder.language_model": "report_encoder.language_model.",
    "report_encoder.language_model.embeddings": "report_encoder.language_model.embeddings.",
    "report_encoder.language_model.pooler (present, unused)": "report_encoder.language_model.pooler.",
    "report_encoder.global_pool": "alignment.report_pool.",
    "report.local_head": "alignment.sentence_projection.",
    "report.global_head": "alignment.report_projection.",
    "cross_attention": "alignment.cross_attention.",
    "loss_module": "objective.",
}
LAYER = "report_encoder.language_model.encoder.layer.{}."
FILE = (
    Path(os.environ.get("LOVT_VECTORS", Path(__file__).parents[4] / "shared/reference/vectors"))
    / "21_param_counts.json"
)
MODELS = json.loads(FILE.read_text(encoding="utf-8"))["models"] if FILE.is_file() else {}
pytestmark = pytest.mark.vectors


@pytest.fixture
def bert_base(tmp_path):
    """A folder with the configuration of a BERT-base, cased vocabulary, and no weights."""
    BertConfig(vocab_size=28996).save_pretrained(tmp_path)
    return str(tmp_path)


def build(name, bert_base, device):
    """The method of the shipped file for a name of the vectors: `LoVT_100`, `ablation/no_g`."""
    file = f"ablations/{ablation}" if (ablation := name.partition("ablation/")[2]) else name.lower().replace("_", "-")
    experiment = load_experiment(
        shipped_folder() / "pretraining" / f"{file}.yaml", [f"method.report_encoder.model={bert_base}"]
    )
    tokenizer = build_tokenizer(ReportEncoderConfig(model="tiny"), ["a sentence"])
    with torch.device(device):
        return build_lovt(experiment.method, tokenizer, pretrained=False)


def count(method, start):
    parameters = [parameter for name, parameter in method.named_parameters() if name.startswith(start)]
    return {
        "total": sum(parameter.numel() for parameter in parameters),
        "trainable": sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
    }


@pytest.mark.parametrize("name", MODELS)
def test_parameters(name, bert_base):
    method = build(name, bert_base, "meta")
    for component, start in COMPONENTS.items():
        assert count(method, start) == MODELS[name][component], component
    layers = [
        count(method, LAYER.format(index)) for index in range(len(method.report_encoder.language_model.encoder.layer))
    ]
    assert layers == MODELS[name]["report_encoder.language_model.encoder_layers"]


@pytest.mark.parametrize(
    "name", [name for name in MODELS if "output_shapes_batch2_with_2_and_3_sentences" in MODELS[name]]
)
def test_shapes(name, bert_base):
    shapes = MODELS[name]["output_shapes_batch2_with_2_and_3_sentences"]
    method = build(name, bert_base, "cpu")
    tokens = collate_reports([[[5, 6], [7]], [[8], [9, 10, 11], [12]]], SpecialTokens(1, 2, 0), 512)
    batch = PairedBatch(torch.zeros(2, 1, 224, 224), tokens)
    features = method.image_encoder(batch.images)
    assert list(features.shape[2:]) == shapes["local_size_a"]
    report = method.report_encoder(batch.tokens)
    assert report.mask.shape[1] == shapes["local_size_b"]
    found = method.alignment(features.flatten(2).transpose(1, 2), report)
    values = {
        "yl_a": features.flatten(2).transpose(1, 2),
        "yl_b": report.sentences,
        "yg_a": found.image,
        "yg_b": found.report,
        "zl_a": found.region_projections,
        "zl_b": found.sentence_projections,
        "zg_a": found.image_projection,
        "zg_b": found.report_projection,
        "zl_b2a": found.attended and found.attended.report_to_regions,
        "zl_a2b": found.attended and found.attended.image_to_sentences,
    }
    if "weights_a" in shapes:
        values |= {"weights_a": found.region_weights, "weights_b": found.sentence_weights}
    for key, value in values.items():
        assert (None if value is None else list(value.shape)) == shapes.get(key), key
    losses = [
        key for key in method.compute_losses(batch) if key != "loss" and not key.startswith(("accuracy/", "share/"))
    ]
    assert len(losses) == len(shapes["losses"])
