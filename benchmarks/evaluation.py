"""What the evaluation saves, as ratios measured in one run: `python benchmarks/evaluation.py [--heads linear unet]`.

Each frozen task is evaluated twice with the same settings, seeds and number of epochs:

* by `lovt_core.evaluate`: prepared images, features computed once, heads side by side;
* plainly: every learning rate and every replicate by itself, each epoch decoding the original files and running the
  encoder again. All trainings of a task take as long, so one learning rate and one replicate are timed and the rest
  is reckoned from them. The replicate's score must be the same as above.

Targets: linear at least 50 times, YOLOv3 at least 1.3 times as fast with a ResNet-50; U-Net reported. Synthetic DICOM
files of 1024 x 1024 pixels in a temporary folder, removed again; random weights. Run it on an idle machine.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.config.evaluation import EncoderSource, EvaluateExperiment, EvaluationSettings, FeatureCacheConfig
from lovt_core.data.catalog import SOURCES
from lovt_core.data.images.equalisation import GREY_VALUES, equalise
from lovt_core.data.images.loading import load_image, to_luma
from lovt_core.data.images.transforms import EvaluationFrame
from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.evaluate import choose_precision, evaluate
from lovt_core.evaluation.encoders import Subject, load_encoder
from lovt_core.evaluation.features.stores import FeatureStores
from lovt_core.evaluation.protocol import build_protocol
from lovt_core.evaluation.replicates import compute_seeds
from lovt_core.evaluation.task_data import TaskData, open_task_data
from lovt_core.evaluation.task_setup import EvaluationResources, TaskSetup
from lovt_core.evaluation.training.candidate import TrainedHead
from lovt_core.models.image_encoder import build_image_encoder
from lovt_core.models.normalisation import normalise
from lovt_core.tasks import find_task
from lovt_core.training.precision import Precision
from lovt_core.values import Result, Workplace

TASKS = {"linear": "rsna-linear-100", "yolo": "rsna-yolo-frozen-100", "unet": "siim-unet-frozen"}
EPOCHS = {"linear": 30, "yolo": 3, "unet": 1}
TARGETS = {"linear": 50.0, "yolo": 1.3}
FILM, SIDE, BATCH = 1024, 224, 8


@dataclass(frozen=True)
class OriginalData(TaskData):
    """The same images, decoded from the original files whenever they are asked for."""

    files: dict[str, Path]

    def images(self, samples, device):
        """As `TaskData.images`."""
        images = torch.from_numpy(np.stack([self._decode(sample) for sample in samples])).to(device)
        return normalise(images[:, None].float() / 255, self.statistics)

    def _decode(self, sample):
        luma = to_luma(load_image(self.files[self.prepared.samples[sample].id]))
        if self.prepared.name != "rsna":
            luma = equalise(luma, GREY_VALUES).values
        return EvaluationFrame(*luma.shape, SIDE).apply_to_image(luma)


@dataclass(frozen=True)
class Bench:
    """One task on one machine."""

    folder: Path
    experiment: EvaluateExperiment
    device: str

    @property
    def place(self):
        """Where the evaluation works."""
        return Workplace(
            prepared_root=self.folder / "prepared",
            checkpoints=self.folder / "checkpoints",
            artifacts=self.folder / "artifacts",
            attempt=1,
            device=self.device,
            stop_requested=lambda: None,
            find_checkpoint=lambda run, which: self.folder,
        )


def quietly(_):
    """No progress."""


def evaluate_fast(bench):
    """Seconds, chosen rate and the first replicate's score."""
    started = time.perf_counter()
    results = [value.data for value in evaluate(bench.experiment, bench.place) if isinstance(value, Result)]
    seconds = time.perf_counter() - started
    return seconds, results[-1]["learning_rate"], results[-1]["values"][0]


def evaluate_plainly(bench, rate):
    """Seconds of a training of the search and of a replicate, and the replicate's score."""
    task = find_task(bench.experiment.tasks[0])
    protocol = build_protocol(task, bench.experiment.settings)
    data = open_task_data(protocol, "patient:0", bench.place.prepared_root)
    source = next(each for each in SOURCES if each.data_set.name == task.data)
    root = bench.folder / task.data
    files = {item.id: root / item.images[0] for item in source.scan(root).items}
    original = OriginalData(data.prepared, data.split, data.statistics, files)
    first = data.samples[0]
    assert torch.equal(original.images([first], "cpu"), data.images([first], "cpu")), "the same pixels"
    search_seed, replicate_seed, *_ = compute_seeds(bench.experiment.seed, 6)
    seconds, score = [], 0.0
    for seed in (search_seed, replicate_seed):
        started = time.perf_counter()
        score = train_alone(bench, protocol, original, (rate, seed), is_tested=seed == replicate_seed)
        seconds.append(time.perf_counter() - started)
    return seconds, score


def train_alone(bench, protocol, data, candidate, *, is_tested):
    """One head by itself; its test score."""
    precision = choose_precision(bench.experiment, bench.device)
    stores = FeatureStores(
        FeatureCacheConfig(memory_gb=0), None, bench.device, Precision(precision, torch.device(bench.device))
    )
    subject = Subject(bench.experiment.encoder, load_encoder(bench.experiment.encoder, bench.place), 12345)
    setup = TaskSetup(subject, protocol, data, EvaluationResources(bench.device, precision, stores, data.samples))
    encoded = finish(setup.encode(candidate[1]))
    training = setup.build_training([(*candidate, encoded)], bench.experiment.seed)
    [trained] = [value for value in training.train() if isinstance(value, TrainedHead)]
    return finish(training.judge(trained, data.split.test)).value if is_tested else 0.0


def finish(generator):
    """What a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def make_data(folder, name, images):
    """A synthetic download of DICOM files, prepared; seconds of the preparation."""
    synthesize(folder / name, Synthesis(name, images, FILM), quietly)
    started = time.perf_counter()
    prepare(name, folder / name, folder / "prepared", PrepareOptions(), quietly)
    return time.perf_counter() - started


def make_encoder(folder, backbone):
    """A state file of random weights."""
    torch.manual_seed(0)
    encoder = build_image_encoder(ImageEncoderConfig(backbone=backbone, weights="random"))
    path = folder / "encoder.safetensors"
    save_file({name.removeprefix("trunk."): tensor.contiguous() for name, tensor in encoder.state_dict().items()}, path)
    return path


def main():
    """Print the ratio of each head and that of all together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--images", type=int, default=80, help="films of each data set")
    parser.add_argument("--unet-images", type=int, default=40)
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--epochs", type=int, help="instead of 30, 3, 1")
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    totals = np.zeros(2)
    with tempfile.TemporaryDirectory(prefix="lovt-benchmark-") as scratch:
        folder = Path(scratch)
        source = EncoderSource(source=str(make_encoder(folder, options.backbone)), backbone=options.backbone)
        for head in options.heads:
            task = find_task(TASKS[head])
            images = options.unet_images if head == "unet" else options.images
            if not (folder / task.data).exists():
                print(f"{task.data}: {images} films prepared in {make_data(folder, task.data, images):.1f} s")
            epochs = options.epochs or EPOCHS[head]
            settings = EvaluationSettings(max_epochs=epochs, batch_size=BATCH)
            experiment = EvaluateExperiment(
                name="bench", encoder=source, tasks=(task.id,), settings=settings, split="patient:0"
            )
            bench = Bench(folder, experiment, options.device)
            fast, rate, fast_score = evaluate_fast(bench)
            (search, replicate), score = evaluate_plainly(bench, rate)
            plain = len(task.learning_rates) * search + 5 * replicate
            totals += (plain, fast)
            target = f" (target {TARGETS[head]:g})" if head in TARGETS else ""
            print(
                f"{task.id}: {epochs} epochs, {len(task.learning_rates)} rates + 5 replicates: {fast:.1f} s, plainly "
                f"{plain:.1f} s: {plain / fast:.3g} times{target}; score {fast_score:.6f}, plainly {score:.6f}"
            )
    print(f"all: {totals[0] / totals[1]:.3g} times")


if __name__ == "__main__":
    main()
