import itertools

import pytest
import torch

from lovt_core.config.methods import LovtConfig
from lovt_core.methods.batch import PairedBatch
from lovt_core.methods.lovt import build_lovt
from lovt_core.models.image_encoder import describe_image_encoder, image_encoder_from
from lovt_core.models.language_models import build_tokenizer
from lovt_core.models.report_encoder import ReportFeatures

REPORTS = (
    ("Heart size is normal.", "No focal consolidation."),
    ("Small left pleural effusion.",),
    ("Opacity in the right upper zone.", "Heart size is enlarged.", "No pneumothorax.", "Lungs are clear."),
    ("Large right pneumothorax.", "Normal heart."),
)
TINY = {
    "image_encoder": {"backbone": "test_resnet", "weights": "random", "num_heads": 4},
    "report_encoder": {
        "model": "tiny",
        "tiny": {"width": 16, "vocabulary_size": 128},
        "freeze_embeddings": False,
        "frozen_layers": 0,
        "max_tokens": 64,
        "num_heads": 4,
    },
    "projection": {"hidden": 32, "size": 16},
}
METHODS = {
    "lovt": {},
    "clip": {"report_encoder": {"pooling": "max"}, "objective": {"regions": None, "sentences": None}},
    "convirt": {
        "image_encoder": {"pooling": "average"},
        "report_encoder": {"pooling": "max"},
        "projection": {"norm": "none"},
        "objective": {"regions": None, "sentences": None},
    },
    "only_regions": {"objective": {"global": None, "sentences": None, "regions": {"distance_threshold": 0.0}}},
    "only_sentences": {"objective": {"global": None, "regions": None}},
    "no_weight_no_att": {
        "image_encoder": {"pooling": "average"},
        "report_encoder": {"pooling": "max"},
        "objective": {"local_weights": "uniform"},
    },
}


def build(method="lovt", **settings):
    torch.manual_seed(0)
    merged = TINY | settings
    for section, values in METHODS[method].items():
        merged[section] = merged.get(section, {}) | values
    config = LovtConfig.model_validate(merged)
    tokenizer = build_tokenizer(config.report_encoder, itertools.chain(*REPORTS))
    return build_lovt(config, tokenizer), tokenizer, config


def make_batch(tokenizer, reports=REPORTS):
    images = torch.randn(len(reports), 1, 64, 96, generator=torch.Generator().manual_seed(1))
    return PairedBatch(images, tokenizer.collate([tokenizer.encode(report) for report in reports]))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("padding", ["ignored", "published"])
def test_losses_are_finite_and_reach_both_encoders(method, padding):
    model, tokenizer, _ = build(method, padding=padding)
    losses = model.compute_losses(make_batch(tokenizer))
    assert all(value.isfinite() for value in losses.values())
    assert [name for name, value in losses.items() if value.requires_grad] == ["loss"]
    losses["loss"].backward()
    for encoder in (model.image_encoder, model.report_encoder.language_model.encoder):
        assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in encoder.parameters())
        assert any(parameter.grad.abs().max() > 0 for parameter in encoder.parameters())


@pytest.mark.parametrize("method", METHODS)
def test_overfits_one_batch(method):
    model, tokenizer, _ = build(method)
    batch = make_batch(tokenizer)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    history = []
    for _ in range(40):
        loss = model.compute_losses(batch)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    assert history[-1] < 0.75 * history[0]


def test_total_is_the_weighted_sum():
    model, tokenizer, config = build()
    losses = model.compute_losses(make_batch(tokenizer))
    pairs, regions, sentences = config.objective.global_, config.objective.regions, config.objective.sentences
    total = pairs.image_to_report * losses["global/image_to_report"]
    total += pairs.report_to_image * losses["global/report_to_image"]
    for name, part in (("regions", regions), ("sentences", sentences)):
        total += part.local_to_attended * losses[f"{name}/local_to_attended"]
        total += part.attended_to_local * losses[f"{name}/attended_to_local"]
    torch.testing.assert_close(losses["loss"].detach(), total)


def represent(model, batch):
    features = model.image_encoder(batch.images)
    return model.alignment(features.flatten(2).transpose(1, 2), model.report_encoder(batch.tokens))


@pytest.mark.parametrize("method", METHODS)
def test_a_reports_embedding_does_not_depend_on_its_neighbours(method):
    model, tokenizer, _ = build(method)
    model.eval()
    together = represent(model, make_batch(tokenizer))
    for row, report in enumerate(REPORTS):
        alone = represent(model, make_batch(tokenizer, (report,)))
        count = len(report)
        torch.testing.assert_close(together.report_projection[row], alone.report_projection[0])
        torch.testing.assert_close(together.sentence_projections[row, :count], alone.sentence_projections[0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("padding", ["ignored", "published"])
def test_losses_and_gradients_do_not_depend_on_the_bucket_of_report_lengths(method, padding):
    model, tokenizer, _ = build(method, padding=padding)
    model.report_encoder.eval()  # dropout draws a number for each token
    plain = make_batch(tokenizer)
    reports = [tokenizer.encode(report) for report in REPORTS]
    padded = PairedBatch(plain.images, tokenizer.collate(reports, bucket=16))
    assert padded.tokens.input_ids.shape[1] > plain.tokens.input_ids.shape[1]
    results = []
    for batch in (plain, padded):
        model.zero_grad()
        losses = model.compute_losses(batch)
        losses["loss"].backward()
        results.append((losses, [each.grad.clone() for each in model.parameters() if each.grad is not None]))
    torch.testing.assert_close(results[1], results[0], rtol=1e-3, atol=1e-4)


def test_published_padding_lets_neighbours_in():
    model, tokenizer, _ = build(padding="published")
    model.eval()
    together = represent(model, make_batch(tokenizer))
    alone = represent(model, make_batch(tokenizer, REPORTS[:1]))
    assert not torch.allclose(together.report_projection[0], alone.report_projection[0], atol=1e-3)


def with_padding(report, extra):
    sentences = torch.nn.functional.pad(report.sentences, (0, 0, 0, extra), value=3.0)
    return ReportFeatures(sentences, torch.nn.functional.pad(report.mask, (0, extra), value=False))


@pytest.mark.parametrize("training", [True, False])
def test_more_padding_changes_nothing(training):
    model, tokenizer, _ = build()
    model.train(training)
    batch = make_batch(tokenizer)
    features = model.image_encoder(batch.images)
    regions, report = features.flatten(2).transpose(1, 2), model.report_encoder(batch.tokens)
    plain, padded = model.alignment(regions, report), model.alignment(regions, with_padding(report, 3))
    torch.testing.assert_close(padded.report_projection, plain.report_projection)
    grid = tuple(features.shape[2:])
    losses, padded_losses = model.objective(plain, grid), model.objective(padded, grid)
    for name, value in losses.items():
        torch.testing.assert_close(padded_losses[name], value)


@pytest.mark.parametrize("training", [True, False])
def test_without_padding_both_settings_agree(training):
    same_length = tuple(report[:1] for report in REPORTS)
    (ignoring, tokenizer, _), (published, _, _) = build(), build(padding="published")
    published.load_state_dict(ignoring.state_dict())
    results = [
        model.train(training).compute_losses(make_batch(tokenizer, same_length)) for model in (ignoring, published)
    ]
    assert results[0].keys() == results[1].keys()
    for name in results[0]:
        torch.testing.assert_close(results[0][name], results[1][name])


def test_no_gradient_flows_through_the_local_weights():
    model, tokenizer, _ = build("only_regions")
    model.compute_losses(make_batch(tokenizer))["loss"].backward()
    assert all(parameter.grad is None for parameter in model.alignment.image_pool.parameters())


def test_losses_stay_float32_in_mixed_precision():
    model, tokenizer, _ = build()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = model.compute_losses(make_batch(tokenizer))
    mixed["loss"].backward()
    assert all(value.dtype == torch.float32 for value in mixed.values())
    full = build()[0].compute_losses(make_batch(tokenizer))
    torch.testing.assert_close(mixed["loss"], full["loss"], rtol=0.05, atol=0.05)


def test_same_seed_same_model():
    first, second = build()[0], build()[0]
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_image_encoder_is_rebuilt_from_the_methods_tensors():
    model, tokenizer, config = build()
    model.compute_losses(make_batch(tokenizer))
    encoder = image_encoder_from(describe_image_encoder(config.image_encoder), model.state_dict())
    assert encoder.fingerprint() == model.image_encoder.fingerprint()
    images = torch.randn(1, 1, 64, 64)
    assert torch.equal(encoder.eval()(images), model.image_encoder.eval()(images))
