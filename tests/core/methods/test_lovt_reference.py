"""The whole method against `07_full_step`, through the class and the losses that training uses."""

import math

import pytest
import torch
from torch import nn

from lovt_core.config.methods import LovtConfig
from lovt_core.methods.batch import PairedBatch
from lovt_core.methods.lovt import Lovt
from lovt_core.models.report_encoder import ReportFeatures

MODULES = {
    "scan_pool": "alignment.image_pool.attention",
    "report_pool": "alignment.report_pool.attention",
    "scan_local_head": "alignment.region_projection",
    "scan_global_head": "alignment.image_projection",
    "report_local_head": "alignment.sentence_projection",
    "report_global_head": "alignment.report_projection",
    "cross_attention": "alignment.cross_attention",
}
LOSSES = {
    "global_a2b": "global/image_to_report",
    "global_b2a": "global/report_to_image",
    "local_a_l2att": "regions/local_to_attended",
    "local_a_att2l": "regions/attended_to_local",
    "local_b_l2att": "sentences/local_to_attended",
    "local_b_att2l": "sentences/attended_to_local",
}
DIRECTIONS = {"a2b": "image_to_report", "b2a": "report_to_image"}


def our_name(name):
    module, _, rest = name.partition(".")
    return f"{MODULES[module]}.{rest}"


class GivenEncoder(nn.Module):
    """Stands for an encoder whose output is known."""

    def __init__(self, output, width):
        super().__init__()
        self.output = output
        self.width = width

    def forward(self, batch):
        return self.output


def build_config(settings, padding):
    weights = settings["loss_weights"]

    def local(objective, side):
        return objective and {
            "temperature": objective["similarity_temperature"],
            "distance_threshold": objective["distance_threshold"],
            "threshold_type": objective["threshold_type"],
            "smoothing": objective.get("smooth_weights", False),
            "smoothing_lambda": objective.get("smooth_lambda", 1.0),
            "local_to_attended": weights[f"local_{side}_l2att"],
            "attended_to_local": weights[f"local_{side}_att2l"],
        }

    pairs = settings["global_nce"] and {
        "temperature": settings["global_nce"]["similarity_temperature"],
        "negatives_from_same_modality": settings["global_nce"]["negatives_from_same_modality"],
        "image_to_report": weights["global_a2b"],
        "report_to_image": weights["global_b2a"],
    }
    return LovtConfig.model_validate(
        {
            "image_encoder": {"num_heads": settings["num_heads"]},
            "report_encoder": {"num_heads": settings["num_heads"]},
            "projection": {"hidden": settings["d_hidden"], "size": settings["d_z"]},
            "objective": {
                "global": pairs,
                "regions": local(settings["scan_local"], "a"),
                "sentences": local(settings["report_local"], "b"),
                "local_weights": "attention" if settings["local_weights"] else "uniform",
            },
            "padding": padding,
        }
    )


def build(case, padding):
    regions, sentences, mask = case.input("yl_a"), case.input("yl_b"), case.tensor("mask_b")
    side = math.isqrt(regions.shape[1])
    features = regions.transpose(1, 2).unflatten(2, (side, side))
    image_encoder = GivenEncoder(features, regions.shape[-1])
    report_encoder = GivenEncoder(ReportFeatures(sentences, mask), sentences.shape[-1])
    method = Lovt(image_encoder, report_encoder, build_config(case.settings, padding))
    tensors = {
        our_name(name): tensor.squeeze(-1) if tensor.ndim == 3 else tensor for name, tensor in case.parameters().items()
    }
    method.load_state_dict(tensors)
    method.train(case.settings["train_mode"])
    return method, regions, sentences


def compute(method):
    seen = []
    handle = method.alignment.register_forward_hook(lambda module, args, output: seen.append(output))
    losses = method.compute_losses(PairedBatch(images=None, tokens=None))
    handle.remove()
    return losses, seen[0]


def has_padding(case):
    return not case.tensor("mask_b").all()


def comparable_paddings(case):
    """The settings that must equal the reference: both where no report is padded."""
    return ["published"] if has_padding(case) else ["published", "ignored"]


@pytest.mark.vectors("07_full_step")
def test_activations_and_losses(case):
    for padding in comparable_paddings(case):
        method, _, _ = build(case, padding)
        losses, representations = compute(method)
        check_losses(case, losses)
        check_representations(case, representations)
        buffers = dict(method.named_buffers())
        for name in case.after():
            case.check(f"after.{name}", buffers[our_name(name)])


def check_losses(case, losses):
    case.check("total_loss", losses["loss"])
    for name, ours in LOSSES.items():
        assert (f"loss.{name}" in case) == (ours in losses)
        if ours in losses:
            case.check(f"loss.{name}", losses[ours])
    for name, ours in DIRECTIONS.items():
        for k in (1, 5):
            if f"metric.global_{name}_top_{k}_acc" in case:
                case.check(f"metric.global_{name}_top_{k}_acc", losses[f"accuracy/top{k}_{ours}"])


def check_representations(case, representations):
    case.check("yg_a", representations.image)
    case.check("yg_b", representations.report)
    case.check("zl_a", representations.region_projections)
    case.check("zl_b", representations.sentence_projections)
    case.check("zg_a", representations.image_projection)
    case.check("zg_b", representations.report_projection)
    if "pool_weights_a" in case:
        case.check("pool_weights_a", representations.region_weights)
        case.check("pool_weights_b", representations.sentence_weights)
    attended = representations.attended
    assert (attended is not None) == ("zl_b2a" in case)
    if attended is not None:
        case.check("zl_b2a", attended.report_to_regions)
        case.check("zl_a2b", attended.image_to_sentences)
        case.check("probs_b2a", attended.region_probabilities)
        case.check("probs_a2b", attended.sentence_probabilities)


@pytest.mark.vectors("07_full_step")
def test_gradients(case):
    for padding in comparable_paddings(case):
        method, regions, sentences = build(case, padding)
        method.compute_losses(PairedBatch(images=None, tokens=None))["loss"].backward()
        case.check("grad_yl_a", regions.grad, 1e-4)
        case.check("grad_yl_b", sentences.grad, 1e-4)
        check_parameter_gradients(case, dict(method.named_parameters()))


def check_parameter_gradients(case, parameters):
    compared = set()
    for name, reference in case.parameter_gradients().items():
        gradient = parameters[our_name(name)].grad.reshape(reference.shape)
        compared.add(our_name(name))
        if name in case.settings["parameters_with_vanishing_gradient"]:
            case.check_vanishing(f"grad_param.{name}", gradient, case.settings["largest_abs_gradient"])
        else:
            case.check(f"grad_param.{name}", gradient, 1e-4)
    for name, parameter in parameters.items():
        if name not in compared:
            assert parameter.grad is None or not parameter.grad.any(), name


@pytest.mark.vectors("07_full_step")
def test_ignored_padding_differs_where_there_is_padding(case):
    published, ignored = (compute(build(case, padding)[0])[0]["loss"] for padding in ("published", "ignored"))
    uses_padding = case.settings["global_nce"] is not None or case.settings["train_mode"]
    assert torch.allclose(published, ignored, rtol=1e-5) == (not has_padding(case) or not uses_padding)
