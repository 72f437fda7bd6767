"""The published statistics once more, sample by sample and pair by pair in float64, from their definitions alone.

A space is a list of batches, a batch a list of samples, a sample an array (N, D) of unit vectors without padding.
"""

import math
from itertools import combinations, product

import numpy as np

Sample = np.ndarray
Space = list[list[Sample]]


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def distance(x: np.ndarray, y: np.ndarray) -> float:
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(x.tolist(), y.tolist(), strict=True)))


def offdiagonal(covariance: np.ndarray) -> float:
    size = len(covariance)
    return float(sum(covariance[i, j] ** 2 for i, j in product(range(size), repeat=2) if i != j) / size)


def covariance(vectors: np.ndarray) -> np.ndarray:
    size = vectors.shape[1]
    return np.cov(vectors.T) if len(vectors) > 1 else np.zeros((size, size))


def deviation_of_batches(batches: list[list[float]]) -> float:
    within = np.mean([np.var(values, ddof=1) for values in batches])
    return math.sqrt(within + np.var([np.mean(values) for values in batches], ddof=1))


def average(batches: list[list[float]]) -> float:
    return float(np.mean([np.mean(values) for values in batches]))


def of_global(batches: list[np.ndarray]) -> dict[str, float]:
    vectors = np.concatenate(batches)
    pairs = [[distance(x, y) for x, y in product(batch, repeat=2)] for batch in batches]
    kernels = [[math.exp(-2 * d**2) for d in each] for each in pairs]
    return {
        "ch_std": float(np.mean([np.std(vectors[:, i], ddof=1) for i in range(vectors.shape[1])])),
        "uniformity": math.log(average(kernels)),
        "dist_emb2emb__batch_estimate": average(pairs),
        "cov_offdiagonal": offdiagonal(covariance(vectors)),
    }


def of_local(space: Space, weights: list[list[np.ndarray]] | None = None) -> dict[str, float]:
    samples = [sample for batch in space for sample in batch]
    centroids = np.array([sample.mean(axis=0) for sample in samples])
    variances = np.array([sample.var(axis=0, ddof=1) if len(sample) > 1 else 0 * sample[0] for sample in samples])
    stds = np.sqrt(variances).mean(axis=1)
    uniformities = [
        math.log(np.mean([math.exp(-2 * distance(x, y) ** 2) for x, y in product(sample, repeat=2)]))
        for sample in samples
    ]
    emb2cent = [[np.mean([distance(x, sample.mean(axis=0)) for x in sample]) for sample in batch] for batch in space]
    emb2emb = [[np.mean([distance(x, y) for x, y in product(sample, repeat=2)]) for sample in batch] for batch in space]
    means = [[sample.mean(axis=0) for sample in batch] for batch in space]
    of_samples = [offdiagonal(covariance(sample)) for sample in samples]
    of_batches = [
        offdiagonal(np.mean([covariance(sample) for sample in batch], axis=0) + covariance(np.array(centres)))
        for batch, centres in zip(space, means, strict=True)
    ]
    values = {
        "ch_std": float(np.sqrt(centroids.var(axis=0, ddof=1) + variances.mean(axis=0)).mean()),
        "ch_std_per_sample": float(stds.mean()),
        "ch_std_per_sample__std": float(stds.std(ddof=1)),
        "ch_std_sample_centroids": float(centroids.std(axis=0, ddof=1).mean()),
        "per_sample_uniformity": float(np.mean(uniformities)),
        "per_sample_uniformity__std": float(np.std(uniformities, ddof=1)),
        "dist_emb2cent": average(emb2cent),
        "dist_emb2cent__std": deviation_of_batches(emb2cent),
        "dist_emb2emb": average(emb2emb),
        "dist_cent2cent__batch_estimate": average([[distance(x, y) for x, y in product(c, repeat=2)] for c in means]),
        "dist_cent2dataset": float(np.mean([distance(x, centroids.mean(axis=0)) for x in centroids])),
        "cov_offdiagonal__batch_estimate": float(np.mean(of_batches)),
        "cov_offdiagonal_per_sample": float(np.mean(of_samples)),
        "cov_offdiagonal_per_sample__std": float(np.std(of_samples, ddof=1)),
        "cov_offdiagonal_sample_centroids": offdiagonal(covariance(centroids)),
    }
    if weights is not None:
        values["dist_emb2emb__weighted"] = average(
            [
                [
                    sum(w[i] * w[j] * distance(x, y) for (i, x), (j, y) in product(enumerate(sample), repeat=2))
                    for sample, w in zip(batch, each, strict=True)
                ]
                for batch, each in zip(space, weights, strict=True)
            ]
        )
    return values


def of_global_pair(first: list[np.ndarray], second: list[np.ndarray]) -> dict[str, float]:
    apart = [[distance(x, y) for x, y in zip(a, b, strict=True)] for a, b in zip(first, second, strict=True)]
    return {
        "rmse": math.sqrt(average([[d**2 for d in each] for each in apart])),
        "dist": average(apart),
        "dist__std": deviation_of_batches(apart),
    }


def of_counterparts(first: Space, second: Space, weights: list[list[np.ndarray]] | None = None) -> dict[str, float]:
    apart = [
        [[distance(x, y) for x, y in zip(one, other, strict=True)] for one, other in zip(a, b, strict=True)]
        for a, b in zip(first, second, strict=True)
    ]
    roots = [[math.sqrt(np.mean(np.square(each))) for each in batch] for batch in apart]
    values = {
        "sample_rmse": average(roots),
        "sample_rmse__std": deviation_of_batches(roots),
        "sample_min_dist": average([[min(each) for each in batch] for batch in apart]),
        "sample_max_dist": average([[max(each) for each in batch] for batch in apart]),
        "sample_std_dist": average([[np.std(e, ddof=1) if len(e) > 1 else 0.0 for e in batch] for batch in apart]),
    }
    if weights is not None:
        values["sample_rmse__weighted"] = average(
            [
                [math.sqrt(np.sum(w * np.square(each))) for each, w in zip(batch, own, strict=True)]
                for batch, own in zip(apart, weights, strict=True)
            ]
        )
    return values


def of_sets(first: Space, second: Space, weights: list[list[np.ndarray]]) -> dict[str, float]:
    tables = [
        [np.array([[distance(x, y) for y in b] for x in a]) for a, b in zip(one, other, strict=True)]
        for one, other in zip(first, second, strict=True)
    ]
    return {
        "dist_emb2emb": average([[table.mean() for table in batch] for batch in tables]),
        "dist_emb2emb__weighted": average(
            [
                [float(w @ table.mean(axis=1)) for table, w in zip(batch, own, strict=True)]
                for batch, own in zip(tables, weights, strict=True)
            ]
        ),
        "1NN_emb2emb_2to1": average([[table.min(axis=1).mean() for table in batch] for batch in tables]),
        "1NN_emb2emb_1to2": average([[table.min(axis=0).mean() for table in batch] for batch in tables]),
        "assignment_1to1": average(assignments(first, second)),
        "assignment_2to2": average(assignments(second, first)),
    }


def assignments(own: Space, other: Space) -> list[list[float]]:
    result = []
    for batch, others in zip(own, other, strict=True):
        row = []
        for sample, there in zip(batch, others, strict=True):
            near = [1 / distance(x, sample.mean(axis=0)) ** 2 if len(sample) > 1 else math.inf for x in sample]
            far = [1 / distance(x, there.mean(axis=0)) ** 2 for x in sample]
            row.append(float(np.mean([1.0 if math.isinf(n) else n / (n + f) for n, f in zip(near, far, strict=True)])))
        result.append(row)
    return result


def mean_pairwise_kernel(vectors: np.ndarray) -> float:
    """Log of the mean of exp(-2 d^2) over all pairs of different vectors."""
    return math.log(np.mean([math.exp(-2 * distance(x, y) ** 2) for x, y in combinations(vectors, 2)]))
