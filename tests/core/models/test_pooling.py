import pytest
import torch

from lovt_core.config.encoders import ImageEncoderConfig, ReportEncoderConfig
from lovt_core.errors import ConfigError
from lovt_core.models.pooling import (
    AttentionPool,
    AveragePool,
    MaxPool,
    average_elements,
    build_image_pool,
    build_report_pool,
)


@pytest.mark.vectors("04_attention_pool")
def test_reference(case):
    if "out" not in case:
        check_simple_pools(case)
        return
    x, mask = case.input("x"), case.optional("mask")
    pool = build_report_pool(ReportEncoderConfig(num_heads=case.settings["num_heads"]), x.shape[-1], "published")
    assert isinstance(pool, AttentionPool)
    pool.attention.load_state_dict(case.parameters())
    out, weights = pool(x, mask)
    ((out * case.tensor("probe_out")).sum() + (weights * case.tensor("probe_weights")).sum()).backward()
    case.check("query", average_elements(x, mask, "published"))
    case.check("out", out)
    case.check("weights", weights)
    case.check("grad_x", x.grad)
    for name, parameter in pool.attention.named_parameters():
        case.check(f"grad_param.{name}", parameter.grad)


def check_simple_pools(case):
    x, mask = case.tensor("x"), case.tensor("mask")
    maximum = build_report_pool(ReportEncoderConfig(pooling="max"), x.shape[-1], "published")
    average = build_image_pool(ImageEncoderConfig(pooling="average"), x.shape[-1], "published")
    assert isinstance(maximum, MaxPool)
    assert isinstance(average, AveragePool)
    case.check("max_mask", maximum(x, mask)[0])
    case.check("max_nomask", maximum(x)[0])
    case.check("avg_mask", average(x, mask)[0])
    case.check("avg_nomask", average(x)[0])


def padded(x, extra):
    garbage = torch.full((x.shape[0], extra, x.shape[2]), 1e4)
    mask = torch.cat([torch.ones(x.shape[:2], dtype=torch.bool), torch.zeros(x.shape[0], extra, dtype=torch.bool)], 1)
    return torch.cat([x, garbage], dim=1), mask


@pytest.mark.parametrize("build", [lambda p: AttentionPool(16, 8, p), AveragePool, lambda p: MaxPool()])
def test_ignored_padding_changes_nothing(build):
    x = torch.randn(3, 5, 16)
    pool = build("ignored")
    out, weights = pool(x)
    padded_out, padded_weights = pool(*padded(x, 4))
    torch.testing.assert_close(padded_out, out)
    if weights is not None:
        torch.testing.assert_close(padded_weights[:, :5], weights)
        assert (padded_weights[:, 5:] == 0).all()


def test_published_padding_changes_the_query():
    x = torch.randn(3, 5, 16)
    pool = AttentionPool(16, 8, "published")
    assert not torch.allclose(pool(*padded(x, 4))[0], pool(x)[0], atol=1e-3)


def test_without_padding_both_agree():
    x, mask = torch.randn(3, 5, 16), torch.ones(3, 5, dtype=torch.bool)
    ignored, published = AttentionPool(16, 8, "ignored"), AttentionPool(16, 8, "published")
    published.load_state_dict(ignored.state_dict())
    torch.testing.assert_close(ignored(x, mask), published(x, mask))


def test_heads_must_divide_the_width():
    with pytest.raises(ConfigError, match="num_heads 8 does not divide the encoder's width 12"):
        AttentionPool(12, 8, "ignored")


def test_attention_starts_as_multi_head_attention_does():
    pool = AttentionPool(64, 8, "ignored")
    bound = (6 / (64 + 3 * 64)) ** 0.5
    assert 0.9 * bound < pool.attention.in_proj_weight.abs().max() <= bound
    assert (pool.attention.in_proj_bias == 0).all()
    assert (pool.attention.out_proj.bias == 0).all()
