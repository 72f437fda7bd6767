"""Seconds to find the films that two large data sets share, beside comparing all pairs.

`python benchmarks/overlap.py [--images 250000] [--others 30000]` searches three kinds of hashes: random ones, which
those of different films resemble; ones that are alike in most images, as if all were made by one device; and random
ones with 10,000 nearly blank images on each side. A thousandth of the images has a match. All pairs are compared for
some of the images, and the time is scaled up; the matches of these are checked. Target: 30 s, half of what is allowed.
"""

import argparse
import resource
import sys
import time

import numpy as np
import numpy.typing as npt

from lovt_core.data.overlap import MAX_DISTANCE, WORDS, Hashes, compute_nearest, find_matches

TARGET_SECONDS = 30
COMPARED = 500
"""Images compared with all others."""
BLANK = 10_000
ALIKE = 0.25
"""How often a bit differs from what it mostly is: as many pairs are looked at as among synthetic films."""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=250_000, help="images of the one set")
    parser.add_argument("--others", type=int, default=30_000, help="images of the other set")
    return parser.parse_args()


def make_hashes(generator: np.random.Generator, count: int, share: float = 0.5) -> Hashes:
    """(count, WORDS) hashes with each bit set with probability `share`."""
    hashes = np.empty((count, WORDS), dtype=np.uint64)
    for start in range(0, count, 4096):
        block = hashes[start : start + 4096]
        bits = generator.random((len(block), 64 * WORDS), dtype=np.float32) < share
        block[:] = np.packbits(bits, axis=1).view(np.uint64)
    return hashes


def plant(generator: np.random.Generator, hashes: Hashes, others: Hashes) -> None:
    """Give one in a thousand hashes a match at up to MAX_DISTANCE bits, at random rows."""
    rows: npt.NDArray[np.int64] = generator.choice(len(hashes), max(1, len(hashes) // 1000), replace=False)
    for row in rows:
        bits = np.unpackbits(others[generator.integers(len(others))].view(np.uint8))
        bits[generator.choice(64 * WORDS, generator.integers(MAX_DISTANCE + 1), replace=False)] ^= 1
        hashes[row] = np.packbits(bits).view(np.uint64)


def measure(name: str, hashes: Hashes, others: Hashes) -> float:
    """Print the figures of one search; its seconds."""
    began = time.perf_counter()
    matches = find_matches(hashes, others)
    seconds = time.perf_counter() - began
    rows = np.linspace(0, len(hashes) - 1, min(COMPARED, len(hashes))).astype(np.int64)
    began = time.perf_counter()
    distances, nearest = compute_nearest(hashes[rows], others)
    all_pairs = (time.perf_counter() - began) * len(hashes) / len(rows)
    if not np.array_equal(matches.rows[rows], np.where(distances <= MAX_DISTANCE, nearest, -1)):
        raise SystemExit(f"{name}: the search and comparing all pairs disagree")
    print(
        f"{name:14s} {seconds:6.2f} s   all pairs {all_pairs:6.1f} s   {all_pairs / seconds:5.1f} times as fast   "
        f"{int((matches.rows >= 0).sum()):,} matches",
        flush=True,
    )
    return seconds


def main() -> int:
    """0 when the target is met."""
    arguments = parse_arguments()
    generator = np.random.default_rng(0)
    print(f"{arguments.images:,} images, {arguments.others:,} others")
    slowest = 0.0
    for name, share, blank in (("random", 0.5, 0), ("alike", ALIKE, 0), ("many blank", 0.5, BLANK)):
        hashes, others = (make_hashes(generator, count, share) for count in (arguments.images, arguments.others))
        for each in (hashes, others):
            each[: min(blank, len(each) // 2)] = make_hashes(generator, min(blank, len(each) // 2), share=0.02)
        plant(generator, hashes, others)
        slowest = max(slowest, measure(name, hashes, others))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"slowest {slowest:.2f} s, memory of the process {megabytes:.0f} MB")
    print(f"target {TARGET_SECONDS} s: {'met' if slowest <= TARGET_SECONDS else 'missed'}")
    return 0 if slowest <= TARGET_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
