"""What regions have in common with a phrase: cosine similarity of their projections (paper section 3.1, z^a and z^b).

Where a method has no local loss, its local projections are random; then the global ones are compared, with each
region taken for a whole image.

Shapes: B images, R = h*w regions, P phrases, Z projection size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from lovt_core.config.inspection import PhraseRequest
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
    """(B, P, R), from -1 to 1."""
    grid: Grid
    """h, w."""
    projections: Projections
    """Which ones were compared."""

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
    found = compute_similarities(method, [image], embed_phrases(method, tokens))
    values: list[float] = found.values[0, 0].tolist()
    data: dict[str, Any] = {
        "type": "phrase",
        "image": asked.image,
        "height": image.shape[0],
        "width": image.shape[1],
        "phrase": asked.phrase,
        "num_tokens": len(tokens[0]),
        "projections": found.projections,
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


@torch.inference_mode()
def embed_phrases(method: TrainedMethod, phrases: Sequence[SentenceTokens]) -> Tensor:
    """(P, Z) unit vectors; each phrase is read as a report of one sentence."""
    alignment = method.model.alignment
    features = [method.report_features([[phrase]]) for phrase in phrases]
    if method.has_local_losses:
        projected = [alignment.sentence_projection(each.sentences)[0, 0] for each in features]
    else:
        projected = [
            alignment.report_projection(alignment.report_pool(each.sentences, each.mask)[0])[0] for each in features
        ]
    return scale_to_unit_length(torch.stack(projected))


@torch.inference_mode()
def compute_similarities(method: TrainedMethod, images: Sequence[Bytes], phrases: Tensor) -> Similarities:
    """Cosine similarities of the regions of grey images to embedded phrases (P, Z)."""
    regions, grid = method.regions(images)
    alignment = method.model.alignment
    if method.has_local_losses:
        projected = alignment.region_projection(regions)
    else:
        alone = regions.flatten(0, 1).unsqueeze(1)
        projected = alignment.image_projection(alignment.image_pool(alone)[0]).unflatten(0, regions.shape[:2])
    values = phrases @ scale_to_unit_length(projected).transpose(1, 2)
    return Similarities(values.float().cpu(), grid, "local" if method.has_local_losses else "global")
