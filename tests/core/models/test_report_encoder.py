from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lovt_core.config.encoders import ReportEncoderConfig, TinyBert
from lovt_core.errors import ConfigError
from lovt_core.models.language_models import build_report_encoder, build_tokenizer
from lovt_core.models.pooling import build_report_pool
from lovt_core.models.report_encoder import ReportEncoder
from lovt_core.models.report_tokens import SpecialTokens, collate_reports

SENTENCES = ("Heart size is normal.", "No focal consolidation.", "Small left pleural effusion in the lower zone.")


class GivenFeatures(nn.Module):
    """Stands for a language model whose output is known."""

    def __init__(self, features):
        super().__init__()
        self.features = features
        self.config = SimpleNamespace(hidden_size=features.shape[-1])

    def forward(self, input_ids, attention_mask):
        assert input_ids.shape == attention_mask.shape == self.features.shape[:2]
        return SimpleNamespace(last_hidden_state=self.features)


@pytest.mark.vectors("22_report_encoder")
def test_reference(case):
    settings = case.settings
    special = SpecialTokens(settings["cls_id"], settings["sep_id"], settings["pad_id"])
    tokens = collate_reports(settings["sentence_token_ids"], special, settings["max_length"])
    features = case.input("token_features")
    encoder = ReportEncoder(GivenFeatures(features))
    report = encoder(tokens)
    pooling = {"lovt": "attention", "max": "max"}[settings["mode"]]
    config = ReportEncoderConfig(pooling=pooling, num_heads=settings["num_heads"] or 1)
    pool = build_report_pool(config, encoder.width, "published")
    if pooling == "attention":
        pool.attention.load_state_dict(case.parameters())
    pooled, weights = pool(report.sentences, report.mask)
    case.check("sentence_features", report.sentences)
    case.check("local_mask", report.mask)
    case.check("global_features", pooled)
    if "pool_weights" in case:
        case.check("pool_weights", weights)
    ((report.sentences * case.tensor("probe_local")).sum() + (pooled * case.tensor("probe_global")).sum()).backward()
    case.check("grad_token_features", features.grad)


def build(**settings):
    config = ReportEncoderConfig(
        model="tiny",
        tiny=TinyBert(width=16, layers=3, vocabulary_size=128),
        **({"frozen_layers": 0, "freeze_embeddings": False, "max_tokens": 64} | settings),
    )
    tokenizer = build_tokenizer(config, SENTENCES)
    return build_report_encoder(config, tokenizer), tokenizer


def test_a_report_does_not_depend_on_its_neighbours():
    encoder, tokenizer = build()
    encoder.eval()
    short, long = tokenizer.encode(SENTENCES[:1]), tokenizer.encode(SENTENCES * 2)
    alone = encoder(tokenizer.collate([short]))
    beside = encoder(tokenizer.collate([short, long]))
    torch.testing.assert_close(beside.sentences[0, :1], alone.sentences[0])
    assert (beside.sentences[0, 1:] == 0).all()


def test_frozen_parts_get_no_gradient():
    encoder, tokenizer = build(frozen_layers=2, freeze_embeddings=True)
    encoder(tokenizer.collate([tokenizer.encode(SENTENCES)])).sentences.sum().backward()
    model = encoder.language_model
    frozen = [*model.embeddings.parameters(), *model.encoder.layer[:2].parameters()]
    assert all(not parameter.requires_grad for parameter in frozen)
    assert all(parameter.grad is not None for parameter in model.encoder.layer[2].parameters())


def test_more_frozen_layers_than_there_are():
    with pytest.raises(ConfigError, match="frozen_layers is 6, but 'tiny' has 3 layers"):
        build(frozen_layers=6)


def test_a_report_is_encoded_as_a_whole():
    encoder, tokenizer = build()
    encoder.eval()
    alone = encoder(tokenizer.collate([tokenizer.encode(SENTENCES[:1])])).sentences[0, 0]
    together = encoder(tokenizer.collate([tokenizer.encode(SENTENCES)])).sentences[0, 0]
    assert not torch.allclose(alone, together, atol=1e-4)
