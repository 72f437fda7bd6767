"""What prepared data saves, as ratios measured in one run: `python benchmarks/data.py [--images N]`.

* training: images/s of random views from prepared data, beside decoding the original JPEG of 2544 x 3056 pixels and
  torchvision's transforms of one image (one core each). Target: at least 20 times.
* evaluation: reading a prepared image, beside decoding a PNG of 1024 x 1024 pixels. Target: at least 200 times, and at
  most 50 microseconds.
* preparation: the whole `prepare` of DICOM-sized PNGs, beside decoding, equalising and resizing them alone with as many
  processes. Target: at most 1.2 times. Largest memory of all processes together: below 1 GB, whatever the number.

Synthetic films, made in a temporary folder and removed again. Run it on an idle machine.
"""

import argparse
import functools
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from lovt_core.config.data import ImageAugmentationConfig
from lovt_core.data.images.equalisation import GREY_VALUES, equalise
from lovt_core.data.images.loading import load_grey
from lovt_core.data.images.transforms import EvaluationFrame
from lovt_core.data.pool import count_cores, map_in_order
from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.prepared import PreparedData
from lovt_core.data.synthetic.generate import Synthesis, synthesize

VIEW, BATCH = 224, 32
ORIGINAL = (2544, 3056)
TURNS = 3


def quietly(_: object) -> None:
    """No progress."""


def seconds_of(work: Callable[[], object], repeats: int) -> float:
    """The fastest of some repeats: other work on the machine disturbs it least."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def report(what: str, ratio: float, target: float, at_least: bool) -> bool:
    """Print a ratio and whether it meets its target."""
    met = ratio >= target if at_least else ratio <= target
    limit = f"at {'least' if at_least else 'most'} {target:g}"
    print(f"  {what}: {ratio:.4g} times (target: {limit}) {'met' if met else 'MISSED'}")
    return met


def training(folder: Path) -> bool:
    """Views from prepared data beside views from original files."""
    import torch  # not before: the processes of a preparation would import it too
    from augmentation import build_torchvision

    from lovt_core.training.augmentation import random_views

    torch.set_num_threads(1)
    source = synthesize(folder / "paired", Synthesis("covid-chestxray", BATCH, 512), quietly)
    files = sorted((source / "images").iterdir())
    for file in files:
        Image.open(file).resize(ORIGINAL, Image.Resampling.BICUBIC).save(file, quality=92)
    data = prepare("covid-chestxray", source, folder / "prepared", PrepareOptions(), quietly)
    config = ImageAugmentationConfig()
    images = [data.image(row) for row in range(data.num_images)][:BATCH]
    seeds = [(0, row) for row in range(len(images))]
    device = torch.device("cpu")
    own = seconds_of(lambda: random_views(images, config, VIEW, seeds, device), 10) / len(images)
    published = build_torchvision(config, VIEW)
    few = files[:6]
    theirs = seconds_of(lambda: [published(Image.open(file).convert("L")) for file in few], 3) / len(few)
    print(f"training: {1 / own:.0f} images/s from prepared data, {1 / theirs:.1f} from original files, one core each")
    return report("images/s", theirs / own, 20, at_least=True)


def evaluation(folder: Path, data: PreparedData) -> bool:
    """Reading a prepared image beside decoding a PNG."""
    film = Image.fromarray(data.image(0)).resize((1024, 1024), Image.Resampling.BICUBIC)
    film.save(folder / "film.png")
    rows = np.random.default_rng(0).integers(0, data.num_images, 2000).tolist()
    view = seconds_of(lambda: [data.image(row).shape for row in rows], 5) / len(rows)
    copy = seconds_of(lambda: [data.image(row).copy().shape for row in rows], 5) / len(rows)
    decoded = seconds_of(lambda: Image.open(folder / "film.png").load(), 10)
    print(f"evaluation: {1e6 * view:.2f} us a view, {1e6 * copy:.1f} us a copy, PNG {1e6 * decoded:.0f} us")
    return report("reads", decoded / copy, 200, at_least=True) and 1e6 * copy <= 50


def decode_alone(size: int, file: Path) -> np.ndarray:
    """Decode, equalise and resize one file, and nothing else."""
    pixels = equalise(load_grey(file), GREY_VALUES).values
    return EvaluationFrame(*pixels.shape, size).apply_to_image(pixels)


class MemoryWatch:
    """Largest memory of this process and its children, in bytes, while it is open."""

    def __enter__(self) -> "MemoryWatch":
        self.largest = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._ended.wait(0.2):
            total = 0
            for each in (process, *process.children(recursive=True)):
                try:
                    memory = each.memory_full_info()
                except psutil.Error:
                    continue
                total += getattr(memory, "pss", memory.uss)
            self.largest = max(self.largest, total)


def preparation(folder: Path, count: int) -> tuple[bool, PreparedData]:
    """A whole preparation beside its unavoidable part, by turns."""
    source = synthesize(folder / "nih", Synthesis("nih-cxr", count, 1024), quietly)
    names = {path.stem: path for path in source.rglob("*.png")}
    wholes, alones = [], []
    with MemoryWatch() as watch:
        for turn in range(TURNS):
            started = time.perf_counter()
            data = prepare("nih-cxr", source, folder / f"prepared-{turn}", PrepareOptions(), quietly)
            wholes.append((time.perf_counter() - started) / data.num_images)
            chosen = [names[sample.id] for sample in data.samples]
            started = time.perf_counter()
            for _ in map_in_order(functools.partial(decode_alone, VIEW), chosen, None):
                pass
            alones.append((time.perf_counter() - started) / len(chosen))
    whole, alone = min(wholes), min(alones)
    print(
        f"preparation: {data.num_images} images of 1024 x 1024 on {count_cores()} cores, {1000 * whole:.1f} ms each, "
        f"{1000 * alone:.1f} ms alone, {watch.largest / 1e6:.0f} MB"
    )
    return report("time", whole / alone, 1.2, at_least=False) and watch.largest < 1e9, data


def main() -> int:
    """0 when every target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000, help="films; seven in ten are prepared")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lovt-benchmark-"))
    try:
        prepared, data = preparation(folder, arguments.images)
        met = [prepared, evaluation(folder, data), training(folder)]
    finally:
        shutil.rmtree(folder)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
