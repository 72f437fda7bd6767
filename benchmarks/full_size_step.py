"""Seconds and memory of a step of the full-size LoVT (ResNet-50, BERT-base, 224 pixels), random weights and batches.

    python benchmarks/full_size_step.py [--tokens 512] [--steps 2] [--precision fp32] [--batch-size 32] [--set ...]

Neither data nor weights are read, so it runs anywhere. Every report has `--tokens` tokens in sentences of about 16:
memory grows with the longest report of a batch. Gradients of one batch make the step: those that `training.accumulate`
adds cost time, not memory. The seconds are those of the last step, the peak is that of the whole process; from the
second step on the optimiser's state is there too.
"""

import argparse
import itertools
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import BertConfig

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.loading import find_experiment_file, load_experiment
from lovt_core.methods.batch import PairedBatch
from lovt_core.methods.lovt import Lovt, build_lovt
from lovt_core.models.language_models import build_tokenizer
from lovt_core.models.report_tokens import SpecialTokens, collate_reports
from lovt_core.training.optimiser_step import OptimiserStep

VOCABULARY_SIZE = 28996
"""Of Bio_ClinicalBERT; the rest of its sizes are those of BERT-base."""
SENTENCE_TOKENS = 16


class RandomPairs:
    """The parts of a `Trainable` that a step needs."""

    def __init__(self, model: Lovt) -> None:
        self.model = model
        self.compute_losses = model.compute_losses

    def before_step(self) -> None:
        """Nothing follows LoVT's networks."""


def build_full_size(experiment: PretrainExperiment, folder: Path) -> Lovt:
    """The model with random weights; `folder` is an empty one for the sizes of the language model."""
    BertConfig(vocab_size=VOCABULARY_SIZE).save_pretrained(folder)
    report_encoder = experiment.method.report_encoder
    tokenizer = build_tokenizer(report_encoder.model_copy(update={"model": "tiny"}), ["a sentence"])
    method = experiment.method.model_copy(
        update={"report_encoder": report_encoder.model_copy(update={"model": str(folder)})}
    )
    return build_lovt(method, tokenizer, pretrained=False)


def draw_batch(size: int, pixels: int, num_tokens: int) -> PairedBatch:
    """Random images, and reports that fill `num_tokens` positions with sentences of `SENTENCE_TOKENS`."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(10, VOCABULARY_SIZE, (size, num_tokens - 2), generator=generator).tolist()
    reports = [[row[at : at + SENTENCE_TOKENS] for at in range(0, len(row), SENTENCE_TOKENS)] for row in tokens]
    images = torch.randn(size, 1, pixels, pixels, generator=generator)
    return PairedBatch(images, collate_reports(reports, SpecialTokens(1, 2, 0), num_tokens))


def measure(experiment: PretrainExperiment, num_tokens: int, num_steps: int) -> dict[str, float]:
    """Seconds of the last step, its loss, peak memory of the process in GiB, number of parameters."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        model = build_full_size(experiment, Path(folder)).train()
    training = experiment.training.model_copy(update={"accumulate": 1})
    step = OptimiserStep(RandomPairs(model), training)
    batches = itertools.repeat(draw_batch(training.batch_size, experiment.data.image_size, num_tokens))
    for number in range(1, num_steps + 1):
        started = time.perf_counter()
        outcome = step.run(batches, 1, number, training.optimiser.learning_rate)
        seconds = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {"seconds": seconds, "loss": outcome.losses["loss"], "peak_gib": peak / 2**30, "parameters": parameters}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on the CPU and print a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args(arguments)
    given = [f"training.precision={options.precision}", f"training.batch_size={options.batch_size}"]
    experiment = load_experiment(find_experiment_file("pretraining/lovt-100"), [*given, *options.overrides])
    if not isinstance(experiment, PretrainExperiment):
        parser.error("the experiment is no pre-training")
    found = measure(experiment, options.tokens, options.steps)
    work = f"batch {options.batch_size}, reports of {options.tokens} tokens, {options.precision}"
    print(f"LoVT-100, {found['parameters']:,} parameters, {work}, {torch.get_num_threads()} threads")
    print(f"  {found['seconds']:.1f} s a step, peak {found['peak_gib']:.1f} GiB, loss {found['loss']:.4f}")


if __name__ == "__main__":
    main()
