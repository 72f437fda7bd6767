"""A trained LoVT from its checkpoint, ready to be asked about images and sentences.

Shapes: B batch, R = h*w regions, S sentences, Z projection size, D width of an encoder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lovt_core.config.inspection import TrainedRun
from lovt_core.config.methods import LovtConfig
from lovt_core.data.prepared import Bytes
from lovt_core.errors import ConfigError, InputError
from lovt_core.methods.alignment import Representations
from lovt_core.methods.lovt import Lovt, build_lovt
from lovt_core.methods.paired_training import TOKENIZER_FOLDER
from lovt_core.models.normalisation import normalise
from lovt_core.models.report_encoder import ReportFeatures
from lovt_core.models.report_tokens import ReportTokenizer, SentenceTokens
from lovt_core.training.augmentation import plain_views
from lovt_core.training.checkpoint import load_checkpoint
from lovt_core.values import Workplace

Grid = tuple[int, int]


@dataclass(frozen=True)
class EncodedReport:
    """A report as the encoder reads it."""

    sentences: tuple[str, ...]
    """Those that have a token."""
    tokens: tuple[SentenceTokens, ...]
    """Of each of them."""


@dataclass(frozen=True)
class TrainedMethod:
    """Model in evaluation mode, tokenizer, and how images are prepared for it."""

    model: Lovt
    tokenizer: ReportTokenizer
    data: dict[str, Any]
    """Identity of the data that it was trained on."""
    image_size: int
    statistics: tuple[float, float] | None
    device: str

    @property
    def has_local_losses(self) -> bool:
        """Whether regions and sentences were compared in training; else their projections are random."""
        directions = self.model.alignment.directions
        return directions.report_to_regions or directions.image_to_sentences

    def prepare(self, images: Sequence[Bytes]) -> Tensor:
        """Grey images of any size -> (B, 1, H, W): padded to a square, resized, normalised as in training."""
        return normalise(plain_views(images, self.image_size, torch.device(self.device)), self.statistics)

    def encode(self, sentences: Sequence[str]) -> EncodedReport:
        """Tokens of each sentence; sentences without any are left out."""
        pairs = [(sentence, self.tokenizer.encode([sentence])) for sentence in sentences]
        kept = [(sentence, tokens[0]) for sentence, tokens in pairs if tokens]
        return EncodedReport(tuple(sentence for sentence, _ in kept), tuple(tokens for _, tokens in kept))

    def regions(self, images: Sequence[Bytes]) -> tuple[Tensor, Grid]:
        """Grey images -> regions (B, R, D) and their grid (h, w)."""
        features = self.model.image_encoder(self.prepare(images))
        return features.flatten(2).transpose(1, 2), (features.shape[2], features.shape[3])

    def report_features(self, reports: Sequence[Sequence[SentenceTokens]]) -> ReportFeatures:
        """Sentences (B, S, D) of reports that have at least one; those that do not fit are dropped."""
        features: ReportFeatures = self.model.report_encoder(self.tokenizer.collate(reports).to(self.device))
        return features

    def represent(self, regions: Tensor, report: ReportFeatures) -> Representations:
        """All representations of pairs."""
        representations: Representations = self.model.alignment(regions, report)
        return representations


def open_trained(asked: TrainedRun, place: Workplace) -> TrainedMethod:
    """The method of a run's checkpoint on `place.device`.

    Raises InputError for a run without a checkpoint or of a method that reads no reports, RecordError for a damaged
    checkpoint, MissingWeightsError where the language model's configuration is not on this machine.
    """
    checkpoint = load_checkpoint(place.find_checkpoint(asked.run, asked.checkpoint))
    settings = checkpoint.describe.get("method")
    name = settings.get("name", "lovt") if isinstance(settings, dict) else None
    if name != "lovt":
        what = f"was trained by {name}" if name else "is no pre-training"
        raise InputError(f"run {asked.run} {what}, which reads no reports: name a run of LoVT")
    tokenizer = ReportTokenizer.load(checkpoint.folder / TOKENIZER_FOLDER)
    model = build_lovt(LovtConfig.model_validate(settings), tokenizer, pretrained=False)
    try:
        model.load_state_dict(checkpoint.load_model())
    except RuntimeError as error:
        raise ConfigError(f"the checkpoint {checkpoint.folder} does not fit its own description: {error}") from error
    images = checkpoint.describe["images"]
    statistics = None if images["mean"] is None else (float(images["mean"]), float(images["deviation"]))
    return TrainedMethod(
        model=model.to(place.device).eval(),
        tokenizer=tokenizer,
        data=checkpoint.describe["data"],
        image_size=int(images["size"]),
        statistics=statistics,
        device=place.device,
    )
