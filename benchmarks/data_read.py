"""Microseconds to read one prepared image: `python benchmarks/data_read.py [NAME [SIZE]]`.

Reads a prepared data set of this workspace; without a name a synthetic one, made and removed again. `view` is what
training asks for (a read-only view of the mapped file), `copy` also touches every byte. Images are read in random order
from a warm page cache; the median of the rounds is printed. Target: 50 microseconds or less, copy included.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lovt_core.data.prepare import PrepareOptions, prepare
from lovt_core.data.prepared import PreparedData, open_prepared
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.runs.workspace import find_workspace

TARGET_MICROSECONDS = 50
ROUNDS, READS = 15, 2000


def measure(read: Callable[[int], object], rows: list[int]) -> float:
    """Median microseconds of one read."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for row in rows:
            read(row)
        rounds.append((time.perf_counter() - start) / len(rows) * 1e6)
    return statistics.median(rounds)


def report(data: PreparedData) -> bool:
    """Print the figures of one set; whether the target is met."""
    rows = np.random.default_rng(0).integers(0, data.num_images, READS).tolist()
    reads: dict[str, Callable[[int], object]] = {
        "image, view": data.image,
        "image, copy": lambda row: data.image(row).copy(),
    }
    if data.meta.kind == "localized":
        reads["mask, copy"] = lambda row: data.mask(row).copy()
    kilobytes = sum(data.image(row).nbytes for row in rows) / len(rows) / 1000
    print(f"{data!r}: {data.num_images} images, {kilobytes:.0f} kB an image")
    figures = {what: measure(read, rows) for what, read in reads.items()}
    for what, microseconds in figures.items():
        print(f"  {what:<12} {microseconds:6.1f} us")
    return max(figures.values()) <= TARGET_MICROSECONDS


def main(arguments: list[str]) -> int:
    """0 when every figure meets the target."""
    if arguments:
        size = int(arguments[1]) if len(arguments) > 1 else None
        met = report(open_prepared(find_workspace().prepared_root, arguments[0], size))
    else:
        with tempfile.TemporaryDirectory() as folder:
            source = synthesize(Path(folder) / "download", Synthesis("covid-rural", 64, 256), lambda progress: None)
            options = PrepareOptions(size=224)
            met = report(prepare("covid-rural", source, Path(folder) / "prepared", options, lambda progress: None))
    print(f"target {TARGET_MICROSECONDS} us: {'met' if met else 'missed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
