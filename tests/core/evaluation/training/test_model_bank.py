"""U-Nets and YOLOv3 heads, frozen and fine-tuned: what is trained when, and that neighbours change nothing."""

import pytest
import torch
from torch import nn

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.errors import TrainingError
from lovt_core.evaluation.task_data import Boxes
from lovt_core.evaluation.training.candidate import Candidate, CandidateState, TrainedHead
from lovt_core.evaluation.training.criteria import build_criterion
from lovt_core.evaluation.training.head_training import HeadTraining
from lovt_core.evaluation.training.model_bank import ModelBank
from lovt_core.evaluation.training.task_model import TaskModel
from lovt_core.models.image_encoder import build_image_encoder
from lovt_core.tasks import WARMUP_RATE
from lovt_core.training.precision import Precision
from tests.core.evaluation.training.inputs import (
    NUM_TEST,
    NUM_TRAINING,
    NUM_VALIDATION,
    TEST,
    TensorInputs,
    finish,
    make_protocol,
)

SIDE = 64
COUNT = NUM_TRAINING + NUM_VALIDATION + NUM_TEST


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(1)
    return build_image_encoder(ImageEncoderConfig(backbone="test_resnet", weights="random", stride=32)).eval()


def draw_squares():
    """Noisy images with a bright square, its box and mask."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(COUNT, 1, SIDE, SIDE, generator=generator) * 0.3
    masks = torch.zeros(COUNT, 1, SIDE, SIDE, dtype=torch.bool)
    boxes = []
    for row in range(COUNT):
        left, top = (int(torch.randint(4, 36, (1,), generator=generator)) for _ in range(2))
        masks[row, 0, top : top + 20, left : left + 20] = True
        boxes.append(torch.tensor([[float(left), float(top), 20.0, 20.0]]))
    return images + 2 * masks, masks, Boxes(tuple(boxes), tuple(torch.zeros(1, dtype=torch.int64) for _ in boxes))


@pytest.fixture(scope="module")
def squares():
    return draw_squares()


def build_inputs(head, encoder, squares):
    """What heads on the frozen encoder read, or an encoder in training (`encoder` None)."""
    images, masks, boxes = squares
    targets = boxes if head == "yolo" else masks
    if encoder is None:
        return TensorInputs({}, images, targets)
    with torch.no_grad():
        features = encoder.forward_features(images)
    return TensorInputs(features, images if head == "unet" else None, targets)


def build(head, encoder, inputs, candidates, *, warmup_steps=0, is_tuned=False, **changes):
    """Trainings of (learning rate, seed), and their models."""
    mode = "finetuned" if is_tuned else "frozen"
    metric = "map" if head == "yolo" else "dice"
    protocol = make_protocol(**{"head": head, "encoder": mode, "metric": metric, "max_epochs": 3, **changes})
    states = [CandidateState(Candidate(rate, seed, inputs), protocol) for rate, seed in candidates]
    models = []
    for _, seed in candidates:
        torch.manual_seed(seed)
        models.append(TaskModel(protocol.task, encoder.channels, encoder if is_tuned else None))
    precisions = [Precision("fp32", torch.device("cpu")) for _ in states]
    bank = ModelBank(states, models, build_criterion(protocol.task), precisions, warmup_steps)
    return HeadTraining(states, bank, protocol, order_seed=3), models


def run(training):
    heads = sorted((value for value in training.train() if isinstance(value, TrainedHead)), key=lambda head: head.index)
    return heads, [finish(training.judge(head, TEST)).value for head in heads]


@pytest.mark.parametrize("head", ["unet", "yolo"])
def test_together_and_alone_give_the_same_scores(head, encoder, squares):
    """Stated tolerance: 1e-6 on a CPU."""
    inputs = build_inputs(head, encoder, squares)
    candidates = [(1e-3, 1), (3e-3, 2)]
    heads, scores = run(build(head, encoder, inputs, candidates)[0])
    for index, candidate in enumerate(candidates):
        [alone], [score] = run(build(head, encoder, inputs, [candidate])[0])
        assert score == pytest.approx(scores[index], abs=1e-6)
        assert alone.best_epoch == heads[index].best_epoch
        for name, tensor in alone.state.items():
            torch.testing.assert_close(tensor, heads[index].state[name], rtol=0, atol=1e-5)


def test_unet_learns_squares_on_a_frozen_random_encoder(encoder, squares):
    inputs = build_inputs("unet", encoder, squares)
    _, [score] = run(build("unet", encoder, inputs, [(3e-3, 1)], max_epochs=25)[0])
    assert score > 0.9


def test_yolo_finds_squares_when_its_encoder_is_tuned(encoder, squares):
    inputs = build_inputs("yolo", None, squares)
    training, _ = build("yolo", encoder, inputs, [(3e-3, 1)], is_tuned=True, warmup_steps=4, max_epochs=60)
    _, [score] = run(training)
    assert score > 0.5


class Watched(ModelBank):
    """Notes the state of the encoder after every step."""

    def train_step(self, batches):
        before = {name: value.clone() for name, value in self._models[0].encoder.state_dict().items()}
        super().train_step(batches)
        after = self._models[0].encoder.state_dict()
        changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
        norms = [module for module in self._models[0].encoder.modules() if isinstance(module, nn.BatchNorm2d)]
        self.notes.append(
            (
                any("weight" in name for name in changed),
                any("running_mean" in name for name in changed),
                all(norm.training for norm in norms),
                self._states[0].optimiser.param_groups[0]["lr"],
            )
        )


def test_the_encoder_is_frozen_in_the_warmup_and_wholly_trained_from_the_next_step(encoder, squares):
    inputs = build_inputs("unet", None, squares)
    training, _ = build("unet", encoder, inputs, [(2e-4, 1)], is_tuned=True, warmup_steps=6)
    training.bank.__class__ = Watched
    training.bank.notes = []
    run(training)
    notes = training.bank.notes
    assert len(notes) == 3 * (NUM_TRAINING // 4)
    assert notes[:6] == [(False, False, False, WARMUP_RATE)] * 6
    assert notes[6:] == [(True, True, True, 2e-4)] * 6, "in the middle of an epoch, and whatever the plateau rule says"


def test_a_given_encoder_is_copied_not_changed(encoder, squares):
    before = encoder.fingerprint()
    inputs = build_inputs("unet", None, squares)
    training, models = build("unet", encoder, inputs, [(1e-3, 1)], is_tuned=True)
    run(training)
    assert encoder.fingerprint() == before != models[0].encoder.fingerprint()


def test_judging_uses_running_statistics_and_changes_nothing(encoder, squares):
    inputs = build_inputs("unet", encoder, squares)
    training, models = build("unet", encoder, inputs, [(1e-3, 1)])
    [head], _ = run(training)
    before = {name: value.clone() for name, value in models[0].state_dict().items()}
    whole = finish(training.judge(head, TEST)).value
    assert all(torch.equal(value, before[name]) for name, value in models[0].state_dict().items())
    assert finish(training.judge(head, TEST[::-1])).value == pytest.approx(whole, abs=1e-6)


def test_masks_without_a_positive_pixel_leave_finite_weights_and_a_score_of_zero(encoder, squares):
    images, masks, _ = squares
    inputs = build_inputs("unet", encoder, (images, torch.zeros_like(masks), None))
    training, models = build("unet", encoder, inputs, [(1e-3, 1)])
    [head], [score] = run(training)
    assert (score, head.best_epoch) == (0.0, 1)
    assert all(torch.isfinite(parameter).all() for parameter in models[0].parameters())


def test_a_training_that_overflows_ends_and_leaves_the_others_alone(encoder, squares, monkeypatch):
    """With fp16 and too large a learning rate: it loses the search, and the evaluation goes on."""
    inputs = build_inputs("unet", encoder, squares)
    training, _ = build("unet", encoder, inputs, [(1e-3, 1), (1e-3, 2)])

    def overflow(optimiser):
        raise TrainingError("every recent step overflowed")

    monkeypatch.setattr(training.bank._precisions[0], "step", overflow)
    heads, scores = run(training)
    assert [head.num_epochs for head in heads] == [1, 3]
    _, [alone] = run(build("unet", encoder, inputs, [(1e-3, 2)])[0])
    assert scores[1] == pytest.approx(alone, abs=1e-6)
