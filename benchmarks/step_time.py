"""Where the time of a pre-training step goes, without validation and checkpoints.

    python benchmarks/step_time.py [EXPERIMENT] [--steps 20] [--set KEY=VALUE ...] [--prepared FOLDER]

Prints the median seconds of a step, the share spent outside model, backward and optimiser (batches, augmentation,
bookkeeping), and pairs per second. The first steps, which warm up, are left out. Data must be prepared
(`lovt data prepare`); `--prepared` is the folder, by default that of the workspace.
"""

import argparse
import itertools
import statistics
from pathlib import Path

from lovt_core.config.loading import find_experiment_file, load_experiment
from lovt_core.data.training_data import open_training_data
from lovt_core.methods.building import build_training
from lovt_core.runs.workspace import find_workspace
from lovt_core.training.optimiser_step import OptimiserStep

WARM_UP = 3


def main() -> None:
    """Time steps of one experiment on the CPU or the first GPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", nargs="?", default="pretraining/covid-chestxray.yaml")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--prepared", type=Path)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    experiment = load_experiment(find_experiment_file(options.experiment), options.overrides)
    if experiment.kind != "pretrain":
        parser.error(f"{options.experiment} is of kind {experiment.kind}, not pretrain")
    data = open_training_data(experiment, options.prepared or find_workspace().prepared_root)
    training = build_training(experiment, data, options.device)
    training.model.train()
    step = OptimiserStep(training, experiment.training)
    batches = itertools.chain.from_iterable(training.training_batches(epoch, 0) for epoch in itertools.count())
    count = min(experiment.training.accumulate, training.batches_per_epoch)
    laps = []
    step.clock.restart()
    for number in range(1, WARM_UP + options.steps + 1):
        step.run(batches, count, number, experiment.training.optimiser.learning_rate)
        laps.append(step.clock.lap())
    kept = laps[WARM_UP:]
    seconds = statistics.median(lap["time/step_seconds"] for lap in kept)
    total = sum(lap["time/step_seconds"] for lap in kept)
    other = sum(lap["time/step_seconds"] * lap["time/other_share"] for lap in kept) / total
    pairs_in_step = count * experiment.training.batch_size
    print(f"{options.experiment}  {len(kept)} steps of {pairs_in_step} pairs on {options.device}")
    print(f"  median {seconds:.3f} s a step, {pairs_in_step / seconds:.1f} pairs/s")
    print(f"  outside model, backward and optimiser: {100 * other:.2f} %  (target: at most 5 %)")


if __name__ == "__main__":
    main()
