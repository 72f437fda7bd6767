"""The statistics of `published_embedding_statistics.csv`, by their published names.

Definitions are those of the authors' analysis: embeddings have unit length; a name reads `emb/SPACE/STATISTIC`, where a
space is `yl` (local) or `yg` (global) or their projections `zl` and `zg`, of the image (`_a`) or the report (`_b`);
`zl_a_avg` are means of local projections, `zl_a&b` those of both sides of a sample together; `;` joins counterparts and
`||` two sets.
"""

from typing import Literal

import torch
from torch import Tensor

from lovt_core.monitoring.embeddings import PairEmbeddings
from lovt_core.monitoring.pair_statistics import (
    DistributionPairStatistics,
    GlobalPairStatistics,
    LocalPairStatistics,
    LocalSpace,
)
from lovt_core.monitoring.space_statistics import GlobalStatistics, LocalStatistics

_GLOBAL = {"yg_a": "image", "yg_b": "report", "zg_a": "image_projection", "zg_b": "report_projection"}
_Statistics = (
    GlobalStatistics | LocalStatistics | GlobalPairStatistics | LocalPairStatistics | DistributionPairStatistics
)


class EmbeddingStatistics:
    """Adds up batches; holds the global embeddings and the means of the local ones of all samples, on their device.

    With `padding` `published`, two statistics of reports count padded sentences as the authors' code does:
    `zl_b;zl_a2b/sample_std_dist` and `zl_a||zl_b/1NN_emb2emb_2to1`.
    """

    def __init__(self, padding: Literal["ignored", "published"] = "ignored") -> None:
        counts = padding == "published"
        self._globals = {space: GlobalStatistics() for space in (*_GLOBAL, "zl_a_avg", "zl_b_avg")}
        self._locals = {space: LocalStatistics() for space in ("yl_a", "yl_b", "zl_a", "zl_b", "zl_a&b")}
        self._pairs = {space: GlobalPairStatistics() for space in ("zg_a;zg_b", "zl_a_avg;zl_b_avg")}
        self._counterparts = {space: LocalPairStatistics(counts) for space in ("zl_a;zl_b2a", "zl_b;zl_a2b")}
        self._sets = DistributionPairStatistics(counts)
        self._seen: set[str] = set()

    @torch.no_grad()
    def update(self, embeddings: PairEmbeddings) -> None:
        """One batch; what it lacks is left out."""
        batch = embeddings.scaled()
        for space, name in _GLOBAL.items():
            value = getattr(batch, name)
            if value is not None:
                self._add_global(space, value)
        if batch.regions is not None:
            self._add_local("yl_a", batch.regions, _whole(batch.regions))
        if batch.sentences is not None:
            self._add_local("yl_b", batch.sentences, batch.sentence_mask)
        if batch.image_projection is not None and batch.report_projection is not None:
            self._add_pair("zg_a;zg_b", batch.image_projection, batch.report_projection)
        if batch.region_projections is not None and batch.sentence_projections is not None:
            self._add_projections(batch, batch.region_projections, batch.sentence_projections)

    def _add_projections(self, batch: PairEmbeddings, regions: Tensor, sentences: Tensor) -> None:
        mask_a, mask_b, weights = _whole(regions), batch.sentence_mask, batch.region_weights
        means_a = self._add_local("zl_a", regions, mask_a, weights)
        means_b = self._add_local("zl_b", sentences, mask_b)
        self._add_local("zl_a&b", torch.cat([regions, sentences], dim=1), torch.cat([mask_a, mask_b], dim=1))
        self._add_global("zl_a_avg", means_a)
        self._add_global("zl_b_avg", means_b)
        self._add_pair("zl_a_avg;zl_b_avg", means_a, means_b)
        self._seen.add("zl_a||zl_b")
        self._sets.update(LocalSpace(regions, means_a, mask_a), LocalSpace(sentences, means_b, mask_b), weights)
        if batch.attended_regions is not None:
            self._seen.add("zl_a;zl_b2a")
            self._counterparts["zl_a;zl_b2a"].update(regions, batch.attended_regions, mask_a, weights)
        if batch.attended_sentences is not None:
            self._seen.add("zl_b;zl_a2b")
            self._counterparts["zl_b;zl_a2b"].update(sentences, batch.attended_sentences, mask_b)

    def _add_global(self, space: str, embeddings: Tensor) -> None:
        self._seen.add(space)
        self._globals[space].update(embeddings)

    def _add_local(self, space: str, embeddings: Tensor, mask: Tensor, weights: Tensor | None = None) -> Tensor:
        self._seen.add(space)
        return self._locals[space].update(embeddings, mask, weights)

    def _add_pair(self, space: str, first: Tensor, second: Tensor) -> None:
        self._seen.add(space)
        self._pairs[space].update(first, second)

    def compute(self) -> dict[str, float]:
        """All statistics of what the batches held, by published name, in the order of the names."""
        spaces: dict[str, _Statistics] = {
            **self._globals,
            **self._locals,
            **self._pairs,
            **self._counterparts,
            "zl_a||zl_b": self._sets,
        }
        values = {
            f"emb/{space}/{name}": value
            for space, statistics in spaces.items()
            if space in self._seen
            for name, value in statistics.compute().items()
        }
        return dict(sorted(values.items()))


def _whole(embeddings: Tensor) -> Tensor:
    """(B, N) mask without padding."""
    return torch.ones(embeddings.shape[:2], dtype=torch.bool, device=embeddings.device)
