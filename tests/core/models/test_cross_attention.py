import pytest
import torch

from lovt_core.models.cross_attention import CrossAttention, Directions


@pytest.mark.vectors("05_cross_attention")
def test_reference(case):
    attention = CrossAttention(case.settings["d"], "published")
    attention.load_state_dict(case.parameters())
    assert attention.norm.eps == case.settings["bn_eps"]
    assert attention.norm.momentum == case.settings["bn_momentum"]
    regions, sentences, mask = case.input("hidden_a"), case.input("hidden_b"), case.optional("mask_b")
    directions = Directions(case.settings["b2a"], case.settings["a2b"])
    attended = attention(regions, sentences, mask, directions)
    case.check("scores_b2a", attended.scores)
    case.check("scores_a2b", attended.scores.transpose(1, 2))
    total = torch.zeros(())
    for name, value, probabilities in (
        ("b2a", attended.report_to_regions, attended.region_probabilities),
        ("a2b", attended.image_to_sentences, attended.sentence_probabilities),
    ):
        assert (value is None) == (f"attended_{name}" not in case)
        if value is None:
            continue
        case.check(f"attended_{name}", value)
        case.check(f"probs_{name}", probabilities)
        total = total + (value * case.tensor(f"probe_attended_{name}")).sum()
    total.backward()
    case.check("grad_hidden_a", regions.grad)
    case.check("grad_hidden_b", sentences.grad)
    check_parameter_gradients(case, attention)
    buffers = dict(attention.named_buffers())
    for name in case.after():
        case.check(f"after.{name}", buffers[name])
    evaluated = attention.eval()(regions, sentences, mask, directions)
    if "eval_attended_b2a" in case:
        case.check("eval_attended_b2a", evaluated.report_to_regions)
    if "eval_attended_a2b" in case:
        case.check("eval_attended_a2b", evaluated.image_to_sentences)


def check_parameter_gradients(case, attention):
    padding = case.optional("mask_b")
    has_padding = padding is not None and not padding.all()
    vanishing = {"output_projection.bias"}
    if not has_padding or not case.settings["a2b"]:
        vanishing.add("value_projection.bias")
    for name, parameter in attention.named_parameters():
        key = f"grad_param.{name}"
        if name in vanishing:
            case.check_vanishing(key, parameter.grad)
        else:
            case.check(key, parameter.grad)


def test_ignored_padding_changes_nothing():
    attention, padded = CrossAttention(8, "ignored"), CrossAttention(8, "ignored")
    padded.load_state_dict(attention.state_dict())
    regions, sentences = torch.randn(2, 9, 8), torch.randn(2, 3, 8)
    mask = torch.tensor([[1, 1, 1, 0, 0]] * 2, dtype=torch.bool)
    plain = attention(regions, sentences)
    result = padded(regions, torch.cat([sentences, torch.full((2, 2, 8), 50.0)], dim=1), mask)
    torch.testing.assert_close(result.report_to_regions, plain.report_to_regions)
    torch.testing.assert_close(result.image_to_sentences[:, :3], plain.image_to_sentences)
    assert (result.image_to_sentences[:, 3:] == 0).all()
    torch.testing.assert_close(padded.norm.running_var, attention.norm.running_var)


def test_norm_is_updated_once_per_direction():
    attention = CrossAttention(8, "ignored")
    attention(torch.randn(2, 9, 8), torch.randn(2, 3, 8))
    assert attention.norm.num_batches_tracked == 2


def test_initialisation():
    attention = CrossAttention(128, "ignored")
    for layer in (attention.key_projection, attention.value_projection, attention.output_projection):
        assert layer.weight.std().item() == pytest.approx(128**-0.5, rel=0.05)
        assert not layer.bias.any()
