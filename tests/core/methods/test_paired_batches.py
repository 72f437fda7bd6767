"""Reports of flipped images: left and right exchanged where that is asked for, and nowhere else."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from lovt_core.config.data import AugmentationConfig
from lovt_core.config.encoders import ReportEncoderConfig
from lovt_core.data.pairs import Pairs
from lovt_core.data.prepared import Sample
from lovt_core.data.reports.laterality import swap_sides
from lovt_core.methods.paired_batches import BatchSize, PairedBatches
from lovt_core.models.language_models import build_tokenizer

SIZE = 48
NUM_PAIRS = 24
SENTENCES = ("Left lower lobe opacity.", "No effusion on the right.", "The heart is normal.")


@dataclass(frozen=True)
class Films:
    """Images that are bright on the left only."""

    samples: tuple[Sample, ...]

    def image(self, row: int) -> Any:
        image = np.zeros((60 + row, 70), dtype=np.uint8)
        image[:, :30] = 200
        return image


def make_batches(image: dict[str, Any], report: dict[str, Any]) -> PairedBatches:
    samples = tuple(Sample(str(row), str(row), (row,), SENTENCES) for row in range(NUM_PAIRS + 3))
    validation = tuple(range(NUM_PAIRS, NUM_PAIRS + 3))
    films: Any = Films(samples)
    pairs = Pairs(films, tuple(range(NUM_PAIRS)), validation, (0.5, 0.25), {}, ())
    encoder = ReportEncoderConfig.model_validate({"model": "tiny", "tiny": {"width": 32, "vocabulary_size": 128}})
    tokenizer = build_tokenizer(encoder, list(SENTENCES))
    augmentation = AugmentationConfig.model_validate({"image": image, "report": {"swap_probability": 0} | report})
    return PairedBatches(pairs, tokenizer, augmentation, BatchSize(8, SIZE, torch.device("cpu")))


def read_reports(batches: PairedBatches, validation: bool = False) -> list[list[int]]:
    """Token ids of all reports of an epoch."""
    found = batches.validation_batches(1, 0) if validation else batches.training_batches(1, 0, 0)
    return [row for batch in found for row in batch.tokens.input_ids.tolist()]


def encode(batches: PairedBatches, exchanged: bool) -> list[int]:
    sentences = [swap_sides(sentence) if exchanged else sentence for sentence in SENTENCES]
    ids: list[int] = batches.tokenizer.collate([batches.tokenizer.encode(sentences)]).input_ids[0].tolist()
    return ids


@pytest.mark.parametrize(
    ("image", "swap", "exchanged"),
    [
        ({"flip": 1}, True, True),
        ({"flip": 1}, False, False),
        ({"flip": 0}, True, False),
        ({"flip": 1, "enabled": False}, True, False),
    ],
)
def test_reports_of_flipped_images_are_exchanged(image: dict[str, Any], swap: bool, exchanged: bool) -> None:
    batches = make_batches(image, {"swap_sides": swap})
    assert read_reports(batches) == [encode(batches, exchanged)] * NUM_PAIRS
    assert encode(batches, True) != encode(batches, False)
    assert read_reports(batches, validation=True) == [encode(batches, False)] * 3


def test_it_is_off_by_default() -> None:
    batches = make_batches({"flip": 1}, {})
    assert read_reports(batches) == [encode(batches, False)] * NUM_PAIRS


def test_each_pair_goes_by_its_own_flip() -> None:
    batches = make_batches({"flip": 0.5}, {"swap_sides": True})
    seen = []
    for batch in batches.training_batches(1, 0, 0):
        left, right = batch.images[..., : SIZE // 2].mean((1, 2, 3)), batch.images[..., SIZE // 2 :].mean((1, 2, 3))
        for is_flipped, ids in zip((right > left).tolist(), batch.tokens.input_ids.tolist(), strict=True):
            assert ids == encode(batches, is_flipped)
            seen.append(is_flipped)
    assert set(seen) == {False, True}


@pytest.mark.parametrize("sentences", ["all", "one"])
def test_images_and_choice_of_sentences_stay_the_same(sentences: str) -> None:
    report = {"swap_probability": 0.6, "sentences": sentences}
    plain, exchanged = (make_batches({"flip": 1}, report | {"swap_sides": swap}) for swap in (False, True))
    to_exchanged = {
        plain.tokenizer.encode([sentence])[0]: exchanged.tokenizer.encode([swap_sides(sentence)])[0]
        for sentence in SENTENCES
    }
    for first, second in zip(plain.training_batches(2, 1, 0), exchanged.training_batches(2, 1, 0), strict=True):
        assert torch.equal(first.images, second.images)
        reports = [split_report(row, to_exchanged) for row in first.tokens.input_ids.tolist()]
        expected = exchanged.tokenizer.collate([[to_exchanged[sentence] for sentence in report] for report in reports])
        assert torch.equal(second.tokens.input_ids, expected.input_ids)


def split_report(ids: list[int], known: Any) -> list[tuple[int, ...]]:
    """The encoded sentences that a report of known sentences is made of."""
    sentences, rest = [], ids[1:]
    while found := next((sentence for sentence in known if tuple(rest[: len(sentence)]) == sentence), None):
        sentences.append(found)
        rest = rest[len(found) :]
    return sentences
