"""Gradients of one optimiser step, alone or among several: `python -m tests.core.distributed.gradients FOLDER RANK`."""

import json
import sys
from pathlib import Path

import torch
from torch import nn

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.data.training_data import open_training_data
from lovt_core.methods.building import build_training
from lovt_core.training.optimiser_step import OptimiserStep
from lovt_core.training.ranks import joined
from lovt_core.training.sealed_folder import save_tensors
from lovt_core.training.sharing import build_share

NUM_RANKS = 2
COUNTS = (4, 3, 1)
"""Batches of a step: all, and what an epoch may leave, so that one process has less to do, or nothing."""


def compute_gradients(experiment, prepared_root, rank=0, num_ranks=1):
    """Name -> gradient just before the step, for each of COUNTS, and `loss`; what has none is not there."""
    share = build_share(experiment.training, rank, num_ranks)
    found = {}
    for count in COUNTS:
        training = build_training(experiment, open_training_data(experiment, prepared_root), "cpu", None, share)
        training.model.train()
        if experiment.training.gather_negatives:
            fix_norms(training.model)
        gradients = {}

        def note(model=training.model, gradients=gradients):
            named = model.named_parameters()
            gradients.update({name: each.grad.clone() for name, each in named if each.grad is not None})

        training.before_step = note
        skip = training.batches_per_epoch - count
        outcome = OptimiserStep(training, experiment.training, share).run(
            training.training_batches(0, skip), count, 1, 0.1
        )
        gradients["loss"] = torch.tensor(outcome.losses["loss"])
        gradients["norm"] = torch.tensor(outcome.gradient_norm)
        found |= {f"{count}/{name}": value for name, value in gradients.items()}
    return found


def fix_norms(model):
    """Statistics of a part of a batch are not those of the batch: the norms keep to fixed ones."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def main():
    folder, rank = Path(sys.argv[1]), int(sys.argv[2])
    cases = json.loads((folder / "cases.json").read_text())
    share = build_share(PretrainExperiment.model_validate(next(iter(cases.values()))).training, rank, NUM_RANKS)
    with joined(share, folder / "meeting", torch.device("cpu")):
        for name, case in cases.items():
            experiment = PretrainExperiment.model_validate(case)
            save_tensors(folder / f"{name}-{rank}", compute_gradients(experiment, folder / "prepared", rank, NUM_RANKS))


if __name__ == "__main__":
    main()
