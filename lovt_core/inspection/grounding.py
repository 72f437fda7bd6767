"""What regions have in common with a phrase: scores of the cross-attention (paper section 3.2), or cosines (3.1).

The losses train z^a and z^b to find each other by the keys of the cross-attention, and never compare them with one
another: so its scores are the default. Where a method has no local loss, all of these are random; then the global
projections are compared, with each region taken for a whole image.

Shapes: B images, R = h*w regions, P phrases, Z projection size.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from lovt_core.config.inspection import Comparison, PhraseRequest
from lovt_core.data.heat_maps import Map
from lovt_core.data.images.loading import load_grey
from lovt_core.data.prepared import Bytes
from lovt_core.errors import InputError
from lovt_core.inspection.trained_method import Grid, TrainedMethod, open_trained
from lovt_core.models.report_tokens import SentenceTokens
from lovt_core.objectives.unit_length import scale_to_unit_length
from lovt_core.values import Result, Value, Workplace

Projections = Literal["local", "global"]


@dataclass(frozen=True)
class Similarities:
    """Of every region of some images to some phrases."""

    values: Tensor
    """(B, P, R): cosines from -1 to 1, or scores before the softmax."""
    grid: Grid
    """h, w."""

    def maps(self) -> Map:
        """(B, P, h, w)."""
        values: Map = self.values.double().numpy()
        return values.reshape(*values.shape[:2], *self.grid)


def ground_phrase(asked: PhraseRequest, place: Workplace) -> Iterator[Value]:
    """One Result of type `phrase`: the similarities of a phrase on an image file.

    Raises InputError for a phrase that is empty or longer than the encoder reads, DataError for a file that is no
    image, and what `open_trained` does.
    """
    method = open_trained(asked, place)
    image = load_grey(Path(asked.image))
    tokens = [encode_phrase(method, asked.phrase)]
    comparison = PhraseComparison(method, tokens, asked.by)
    found = comparison.compare([image])
    values: list[float] = found.values[0, 0].tolist()
    data: dict[str, Any] = {
        "type": "phrase",
        "image": asked.image,
        "height": image.shape[0],
        "width": image.shape[1],
        "phrase": asked.phrase,
        "num_tokens": len(tokens[0]),
        "by": comparison.by,
        "projections": comparison.projections,
        "grid": list(found.grid),
        "similarities": values,
    }
    yield Result(data)


def encode_phrase(method: TrainedMethod, phrase: str) -> SentenceTokens:
    """Its tokens; raises InputError where there are none, or more than the report encoder reads."""
    found = method.tokenizer.encode([phrase])
    if not found:
        raise InputError(f"the phrase '{phrase}' holds no word: write what a report would say")
    room = method.tokenizer.max_tokens - 2
    if len(found[0]) > room:
        raise InputError(f"the phrase has {len(found[0])} tokens, the report encoder reads {room}: write a shorter one")
    return found[0]


class PhraseComparison:
    """Compares phrases, each read as a report of one sentence, with the regions of images."""

    @torch.inference_mode()
    def __init__(self, method: TrainedMethod, phrases: Sequence[SentenceTokens], by: Comparison) -> None:
        """Scores of an attention that no loss has trained are not computed: then `by` is `cosine`."""
        self._method = method
        self.by: Comparison = by if method.has_local_losses else "cosine"
        self.projections: Projections = "local" if method.has_local_losses else "global"
        self.phrases = self._embed(torch.stack([self._project_phrase(phrase) for phrase in phrases]))
        """(P, Z)."""

    @torch.inference_mode()
    def compare(self, images: Sequence[Bytes]) -> Similarities:
        """Grey images of any size."""
        regions, grid = self._method.regions(images)
        values = self.phrases @ self._embed(self._project_regions(regions)).transpose(1, 2)
        if self.by == "attention":
            values = values / math.sqrt(self.phrases.shape[1])
        return Similarities(values.float().cpu(), grid)

    def _embed(self, projected: Tensor) -> Tensor:
        """What products are taken of."""
        if self.by == "cosine":
            return scale_to_unit_length(projected)
        keys: Tensor = self._method.model.alignment.cross_attention.key_projection(projected)
        return keys

    def _project_phrase(self, phrase: SentenceTokens) -> Tensor:
        """(Z,)."""
        alignment = self._method.model.alignment
        features = self._method.report_features([[phrase]])
        projected: Tensor
        if self.projections == "local":
            projected = alignment.sentence_projection(features.sentences)[0, 0]
        else:
            projected = alignment.report_projection(alignment.report_pool(features.sentences, features.mask)[0])[0]
        return projected

    def _project_regions(self, regions: Tensor) -> Tensor:
        """(B, R, D) -> (B, R, Z)."""
        alignment = self._method.model.alignment
        projected: Tensor
        if self.projections == "local":
            projected = alignment.region_projection(regions)
        else:
            alone = regions.flatten(0, 1).unsqueeze(1)
            pooled, _ = alignment.image_pool(alone)
            projected = alignment.image_projection(pooled).unflatten(0, regions.shape[:2])
        return projected
