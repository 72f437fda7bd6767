"""Each image-only method: losses, gradients, naive references, copies that follow."""

import pytest
import torch
import torch.nn.functional as F

from lovt_core.errors import InputError
from lovt_core.training.optimiser import trainable_parameters
from tests.core.methods.image_methods import FOLLOWED, TINY, make_batch, make_method

METHODS = sorted(TINY)


@pytest.mark.parametrize("method", METHODS)
def test_losses_are_finite_scalars_and_only_the_loss_has_a_gradient(method):
    losses = make_method(method).compute_losses(make_batch(method))
    assert all(value.shape == () and bool(value.isfinite()) for value in losses.values())
    assert [name for name, value in losses.items() if value.requires_grad] == ["loss"]


@pytest.mark.parametrize("method", METHODS)
def test_gradient_reaches_every_part_that_is_trained(method):
    model = make_method(method)
    model.compute_losses(make_batch(method))["loss"].backward()
    for name, parameter in model.named_parameters():
        follows = name.startswith("target_")
        assert parameter.requires_grad != follows, name
        if follows:
            assert parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
            assert bool(parameter.grad.isfinite().all()), name
    stem = next(model.image_encoder.parameters())
    assert float(stem.grad.abs().sum()) > 0


@pytest.mark.parametrize(("method", "below"), [("simclr", 0.1), ("byol", 0.2), ("pixelpro", -1.0), ("supervised", 0.1)])
def test_one_batch_is_learnt_by_heart(method, below):
    model, batch = make_method(method), make_batch(method)
    optimiser = torch.optim.Adam(trainable_parameters(model).values(), lr=3e-3)
    first = float(model.compute_losses(batch)["loss"].detach())
    for _ in range(60):
        losses = model.compute_losses(batch)
        optimiser.zero_grad()
        losses["loss"].backward()
        model.before_step()
        optimiser.step()
    assert float(losses["loss"].detach()) < below < first


@pytest.mark.parametrize("method", sorted(FOLLOWED))
def test_copies_follow_by_the_decay_and_keep_their_own_statistics(method):
    model, batch = make_method(method), make_batch(method)
    for copy, online in FOLLOWED[method].items():
        before = {name: value.clone() for name, value in getattr(model, online).named_parameters()}
        for name, value in getattr(model, copy).target.named_parameters():
            assert torch.equal(value, before[name])
    start = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.startswith("target_"):
                parameter.add_(1)
    model.compute_losses(batch)
    model.before_step()
    for copy, online in FOLLOWED[method].items():
        for name, value in getattr(model, copy).target.named_parameters():
            torch.testing.assert_close(value, start[f"{online}.{name}"] + 0.01)
        statistics = [name for name in model.state_dict() if name.startswith(copy) and "running_mean" in name]
        assert statistics
        assert all(not torch.equal(model.state_dict()[name], start[name]) for name in statistics)


def reference_byol(model, batch):
    def unit(x):
        return x / x.norm(dim=1, keepdim=True)

    total = 0.0
    online = [model.predictor(model.projector(model.image_encoder(view).mean((2, 3)))) for view in batch.views]
    target = [
        model.target_projector.target(model.target_encoder.target(view).mean((2, 3))).detach() for view in batch.views
    ]
    for ours, theirs in ((online[0], target[1]), (online[1], target[0])):
        total = total + (unit(ours) - unit(theirs)).square().sum(dim=1)
    return total.mean()


def reference_simclr(model, batch):
    z = [
        model.projector.after(F.relu(model.projector.before(model.image_encoder(v).mean((2, 3))))) for v in batch.views
    ]
    unit = (torch.cat(z) / torch.cat(z).norm(dim=1, keepdim=True)).detach()
    count = len(z[0])
    losses = []
    for i in range(2 * count):
        similarities = [float(unit[i] @ unit[k]) / 0.1 for k in range(2 * count)]
        others = sum(torch.tensor(similarities[k]).exp() for k in range(2 * count) if k != i)
        losses.append(-torch.log(torch.tensor(similarities[(i + count) % (2 * count)]).exp() / others))
    return torch.stack(losses).mean()


def reference_pixelpro(model, batch):
    """Cell by cell; the second view lies four pixels further right and down, and is mirrored."""
    maps = [model.image_encoder(view) for view in batch.views]
    kept = [model.target_encoder.target(view).detach() for view in batch.views]
    height, width = maps[0].shape[2:]
    y = [model.propagation(model.cell_projector(each.flatten(2).transpose(1, 2))) for each in maps]
    x = [model.target_cell_projector.target(each.flatten(2).transpose(1, 2)).detach() for each in kept]
    cell = 64 / width
    total = torch.zeros(())
    for image in range(len(maps[0])):
        terms = []
        for i in range(height * width):
            for j in range(height * width):
                ours = torch.tensor([(i % width + 0.5) * cell, (i // width + 0.5) * cell])
                theirs = torch.tensor([4 + 64 - (j % width + 0.5) * cell, 4 + (j // width + 0.5) * cell])
                if (ours - theirs).norm() / (cell * 2**0.5) < 0.7:
                    forth = F.cosine_similarity(y[0][image, i], x[1][image, j], dim=0)
                    back = F.cosine_similarity(y[1][image, j], x[0][image, i], dim=0)
                    terms.append(-forth - back)
        total = total + torch.stack(terms).mean() / len(maps[0])
    predictions = [model.predictor(model.image_projector(each.mean((2, 3)))) for each in maps]
    followed = [model.target_image_projector.target(each.mean((2, 3))).detach() for each in kept]
    for ours, theirs in ((predictions[0], followed[1]), (predictions[1], followed[0])):
        total = total + (2 - 2 * F.cosine_similarity(ours, theirs)).mean()
    return total


REFERENCES = {"simclr": reference_simclr, "byol": reference_byol, "pixelpro": reference_pixelpro}


@pytest.mark.parametrize("method", sorted(REFERENCES))
def test_agrees_with_a_naive_reference(method):
    model, batch = make_method(method), make_batch(method, 4)
    expected = REFERENCES[method](make_method(method), batch)
    loss = model.compute_losses(batch)["loss"].detach()
    torch.testing.assert_close(loss, expected.detach(), rtol=1e-4, atol=1e-5)


def test_supervised_reads_uncertain_and_blank_as_it_is_told():
    batch = make_batch("supervised")
    read = {-2: 0.0, -1: 1.0, 0: 0.0, 1: 1.0}
    targets = torch.tensor([[read[code] for code in row] for row in batch.labels.tolist()])
    model = make_method("supervised")
    logits = model.classifier(model.image_encoder(batch.images).mean((2, 3)))
    expected = F.binary_cross_entropy_with_logits(logits, targets)
    torch.testing.assert_close(make_method("supervised").compute_losses(batch)["loss"], expected)
    unknown = make_method("supervised", uncertain="unknown", blank="unknown").compute_losses(batch)["loss"]
    assert not torch.isclose(unknown, expected)


def test_supervised_scores_the_whole_validation_and_forgets_it():
    model, batch = make_method("supervised"), make_batch("supervised", 32)
    with torch.no_grad():
        model.compute_losses(batch)  # in training nothing is kept
        model.eval()
        model.compute_losses(batch)
        model.begin_validation()
        for _ in range(2):
            model.compute_losses(batch)
    scores = model.compute_validation_scores()
    each = [value for name, value in scores.items() if name.startswith("auroc/")]
    assert scores["auroc"] == pytest.approx(sum(each) / len(each))
    assert {"auroc/pleural_effusion", "auroc/edema"} < set(scores)
    assert model._seen == []


@pytest.mark.parametrize("method", ["simclr", "byol", "pixelpro"])
def test_a_single_image_is_refused(method):
    with pytest.raises(InputError, match="at least two images in a batch"):
        make_method(method).compute_losses(make_batch(method, 1))
