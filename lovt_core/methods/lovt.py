"""LoVT: localized vision-language pre-training from image-report pairs. ConVIRT and CLIP are settings of it."""

from torch import Tensor, nn

from lovt_core.config.methods import LovtConfig
from lovt_core.methods.alignment import Alignment, Representations
from lovt_core.methods.batch import PairedBatch
from lovt_core.methods.lovt_objective import LovtObjective
from lovt_core.models.image_encoder import ImageEncoder, build_image_encoder
from lovt_core.models.language_models import build_report_encoder
from lovt_core.models.report_encoder import ReportEncoder
from lovt_core.models.report_tokens import ReportTokenizer
from lovt_core.monitoring.embeddings import PairEmbeddings
from lovt_core.monitoring.observer import Observer


class Lovt(nn.Module):
    """Two encoders, their alignment and the objective: batch -> losses."""

    def __init__(self, image_encoder: ImageEncoder, report_encoder: ReportEncoder, config: LovtConfig) -> None:
        super().__init__()
        self.image_encoder = image_encoder
        self.report_encoder = report_encoder
        self.alignment = Alignment(config, image_encoder.width, report_encoder.width)
        self.objective = LovtObjective(config.objective)
        self.observer: Observer[PairEmbeddings] | None = None
        """Sees all batches."""

    def compute_losses(self, batch: PairedBatch) -> dict[str, Tensor]:
        """`loss` is what training minimises; the other values are for the record and carry no gradient.

        Names: `global/image_to_report`, `regions/local_to_attended`, `sentences/attended_to_local` and their like are
        the unweighted losses, `accuracy/top5_report_to_image` and its like shares of the batch, `share/regions` and its
        like the weighted losses' shares of `loss`.
        """
        features = self.image_encoder(batch.images)
        report = self.report_encoder(batch.tokens)
        regions = features.flatten(2).transpose(1, 2)
        representations = self.alignment(regions, report)
        grid = (features.shape[2], features.shape[3])
        if self.observer is not None:
            seen = self._find_embeddings(regions, representations, grid)
            self.observer.see(seen, batch.labels, training=self.training)
        losses: dict[str, Tensor] = self.objective(representations, grid)
        return losses

    def _find_embeddings(self, regions: Tensor, found: Representations, grid: tuple[int, int]) -> PairEmbeddings:
        """What the losses compare, and the features that everything comes from."""
        attended, has_pairs = found.attended, self.objective.pairs is not None
        return PairEmbeddings(
            sentence_mask=found.sentence_mask,
            regions=regions,
            image=found.image,
            report=found.report,
            region_projections=found.region_projections,
            sentence_projections=found.sentence_projections,
            image_projection=found.image_projection if has_pairs else None,
            report_projection=found.report_projection if has_pairs else None,
            attended_regions=None if attended is None else attended.report_to_regions,
            attended_sentences=None if attended is None else attended.image_to_sentences,
            grid=grid,
        )


def build_lovt(config: LovtConfig, tokenizer: ReportTokenizer, pretrained: bool = True) -> Lovt:
    """The method of a config; new weights come from the global generator.

    `tokenizer` is that of `build_tokenizer(config.report_encoder, sentences)`. With `pretrained` false no weights are
    read, because a checkpoint follows. Raises ConfigError and MissingWeightsError as the encoders do.
    """
    image_encoder = build_image_encoder(config.image_encoder, pretrained)
    report_encoder = build_report_encoder(config.report_encoder, tokenizer, pretrained)
    return Lovt(image_encoder, report_encoder, config)
