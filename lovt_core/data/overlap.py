"""Which images of one set are also in another, by perceptual hash.

The search is exact. A hash has 16 chunks of 16 bits. One step compares the pairs that agree in one chunk; later steps,
those that differ there in one bit, then in two. A pair that no step has met has one more differing bit for every step
done: after `max_distance + 1` steps all matches are found, and an image needs no more steps as soon as its match is
closer than their number. Hashes of chest films spread well over the 65,536 values of a chunk; an image that is to be
compared with a large part of the others nevertheless (blank images, say) is compared with all of them at once.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WORDS = 4
"""64-bit words of a hash."""
Hashes = npt.NDArray[np.uint64]
"""(images, WORDS)."""
Chunks = npt.NDArray[np.uint16]
Rows = npt.NDArray[np.int64]

MAX_DISTANCE = 26
"""Bits in which hashes of the same film may differ (`images/hashing.py` has the measured distances)."""
FARTHEST = 64 * WORDS + 1
"""Distance to nothing."""
_CHUNKS = 4 * WORDS
_CHUNK_BITS = 16
_LARGE_PART = 4
"""An image with more than one in this many of the others to look at is compared with all."""
_BLOCK = 1 << 15
"""Pairs compared at once."""
_ROW_BITS = 32
"""A match is one number, distance << _ROW_BITS | row: the least is the nearest, the lowest row among equals."""


@dataclass(frozen=True)
class Matches:
    """The nearest match of each image."""

    rows: Rows
    """(images,) row among the others, the lowest of equally near ones; -1 where nothing is close enough."""
    distances: Rows
    """(images,) differing bits; -1 likewise."""


def find_overlapping(hashes: Hashes, others: Hashes, max_distance: int = MAX_DISTANCE) -> npt.NDArray[np.bool_]:
    """(images,) whether any of `others` is within `max_distance` bits of each of `hashes`."""
    return find_matches(hashes, others, max_distance).rows >= 0


def find_matches(hashes: Hashes, others: Hashes, max_distance: int = MAX_DISTANCE) -> Matches:
    """The nearest of `others` within `max_distance` bits of each of `hashes`, without fail.

    250,000 hashes of films against 30,000 take seconds and less than 200 MB; the time grows with their product.
    """
    distinct = _find_distinct(others)
    search = _Search(hashes, others[distinct], max_distance)
    for step in range(max_distance + 1 if len(distinct) else 0):
        search.look_up(step)
    search.compare_hard_ones()
    found = search.nearest < max_distance + 1 << _ROW_BITS
    rows = np.full(len(hashes), -1, dtype=np.int64)
    rows[found] = distinct[search.nearest[found] & (1 << _ROW_BITS) - 1]
    return Matches(rows, np.where(found, search.nearest >> _ROW_BITS, -1))


def compute_nearest(hashes: Hashes, others: Hashes) -> tuple[Rows, Rows]:
    """Distance in bits to the nearest of `others`, and its row; distance FARTHEST and row -1 where there are none.

    Compares all pairs, in blocks: memory does not grow with the number of pairs.
    """
    distances = np.full(len(hashes), FARTHEST, dtype=np.int64)
    nearest = np.full(len(hashes), -1, dtype=np.int64)
    words = others.T.copy()
    step = max(1, _BLOCK // max(1, len(others)))
    for start in range(0, len(hashes) if len(others) else 0, step):
        differing = _count_differing(hashes[start : start + step], words)
        nearest[start : start + step] = differing.argmin(axis=1)
        distances[start : start + step] = differing.min(axis=1)
    return distances, nearest


def _count_differing(hashes: Hashes, other_words: Hashes) -> npt.NDArray[np.uint16]:
    """(hashes, others) number of differing bits, by (WORDS, others) words."""
    differing = np.zeros((len(hashes), other_words.shape[1]), dtype=np.uint16)
    for word, others in enumerate(other_words):
        differing += np.bitwise_count(hashes[:, word, None] ^ others)
    return differing


def _find_distinct(hashes: Hashes) -> Rows:
    """Rows, ascending, of the first of each set of equal hashes: a thousand blank images are looked at once."""
    order = np.lexsort(hashes.T)
    ordered = hashes[order]
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return np.sort(order[is_first])


class _Search:
    """A search under way."""

    def __init__(self, hashes: Hashes, others: Hashes, max_distance: int) -> None:
        self._max_distance = max_distance
        self._hashes, self._others = hashes, others
        self._words, self._other_words = hashes.T.copy(), others.T.copy()
        self._chunks, self._other_chunks = _spread(hashes), _spread(others)
        self._looked_at = np.zeros(len(hashes), dtype=np.int64)
        self._limit = len(others) // _LARGE_PART
        self.nearest = np.full(len(hashes), FARTHEST << _ROW_BITS, dtype=np.int64)
        """(hashes,) the nearest match so far, as one number."""

    def look_up(self, step: int) -> None:
        """Compare with the others that differ in `step // 16` bits of chunk `step % 16`."""
        radius, chunk = divmod(step, _CHUNKS)
        waiting = np.flatnonzero((self.nearest >= step << _ROW_BITS) & (self._looked_at <= self._limit))
        self._looked_at[waiting] += math.comb(_CHUNK_BITS, radius)  # an empty bucket takes time, too
        rows = waiting[self._looked_at[waiting] <= self._limit]
        if not len(rows):
            return
        chunks, buckets = self._chunks[chunk][rows], _Buckets(self._other_chunks[chunk])
        for bits in itertools.combinations(range(_CHUNK_BITS), radius):
            wanted = chunks ^ np.uint16(sum(1 << bit for bit in bits))
            sizes = buckets.sizes[wanted]
            self._looked_at[rows] += sizes
            kept = np.flatnonzero((sizes > 0) & (self._looked_at[rows] <= self._limit))
            for index, candidates in buckets.pair_up(wanted[kept]):
                self._compare(rows[kept[index]], candidates)

    def compare_hard_ones(self) -> None:
        """Compare the images that had a large part of the others to look at with all of them."""
        rows = np.flatnonzero(self._looked_at > self._limit)
        distances, nearest = compute_nearest(self._hashes[rows], self._others)
        self.nearest[rows] = np.where(nearest < 0, self.nearest[rows], distances << _ROW_BITS | nearest)

    def _compare(self, rows: Rows, candidates: Rows) -> None:
        """Note the distance of each pair; pairs that are too far by the first words end there."""
        distances = np.zeros(len(rows), dtype=np.uint16)
        for word in range(WORDS):
            distances += np.bitwise_count(self._words[word].take(rows) ^ self._other_words[word].take(candidates))
            near = np.flatnonzero(distances <= self._max_distance)
            rows, candidates, distances = rows.take(near), candidates.take(near), distances.take(near)
        np.minimum.at(self.nearest, rows, distances.astype(np.int64) << _ROW_BITS | candidates)


class _Buckets:
    """Rows of the others by one chunk of their hashes."""

    def __init__(self, chunks: Chunks) -> None:
        self._rows = np.argsort(chunks, kind="stable")
        self.sizes = np.bincount(chunks, minlength=1 << _CHUNK_BITS)
        self._starts = np.cumsum(self.sizes) - self.sizes

    def pair_up(self, chunks: Chunks) -> Iterator[tuple[Rows, Rows]]:
        """Blocks of pairs: position in `chunks`, row of the others in its bucket."""
        sizes, starts = self.sizes[chunks], self._starts[chunks]
        ends = np.cumsum(sizes)
        total = int(ends[-1]) if len(ends) else 0
        cuts = np.searchsorted(ends, np.arange(0, total, _BLOCK), side="right")
        for start, stop in itertools.pairwise(np.unique((*cuts, len(chunks))).tolist()):
            block = sizes[start:stop]
            offsets = starts[start:stop] - (np.cumsum(block) - block)
            positions = np.arange(block.sum()) + np.repeat(offsets, block)
            yield np.repeat(np.arange(start, stop), block), self._rows.take(positions)


def _spread(hashes: Hashes) -> Chunks:
    """(16, images) chunks, each with one bit of every row and of every column of the 16 x 16 coefficients.

    Neighbouring coefficients are alike in many films, so chunks of neighbours would be alike, too.
    """
    coefficients = np.ascontiguousarray(np.ascontiguousarray(hashes).view(np.uint16).T)
    chunks = np.zeros_like(coefficients)
    for row, bits in enumerate(coefficients):
        for number in range(_CHUNKS):
            chunks[number] |= (bits >> (number + row) % _CHUNK_BITS & 1) << row
    return chunks
