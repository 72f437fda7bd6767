"""LoVT's total loss from its representations (paper section 3.5; vectors section 7)."""

from torch import Tensor, nn

from lovt_core.config.objective import ObjectiveConfig
from lovt_core.methods.alignment import Representations
from lovt_core.objectives.global_contrastive import GlobalContrastiveLoss, GlobalLosses, compute_top_accuracy
from lovt_core.objectives.local_contrastive import Elements, LocalContrastiveLoss, Size

_TOP = (1, 5)


class LovtObjective(nn.Module):
    """Weighted sum of the losses that the config keeps, and each of them by name."""

    def __init__(self, config: ObjectiveConfig) -> None:
        super().__init__()
        self.uses_attention = config.local_weights == "attention"
        self.pairs = None if config.global_ is None else GlobalContrastiveLoss(config.global_)
        self.regions = None if config.regions is None else LocalContrastiveLoss(config.regions)
        self.sentences = None if config.sentences is None else LocalContrastiveLoss(config.sentences)

    @property
    def reads(self) -> tuple[str, ...]:
        """Fields of the representations that the losses read besides `attended`."""
        pairs = () if self.pairs is None else ("image_projection", "report_projection")
        regions = () if self.regions is None else ("region_weights", "region_projections")
        sentences = ("sentence_weights", "sentence_projections", "sentence_mask")
        return (*pairs, *regions, *(() if self.sentences is None else sentences))

    def forward(self, representations: Representations, grid: Size) -> dict[str, Tensor]:
        """`loss` is the total; the others, without gradient, are unweighted losses, accuracies and shares of the total.

        `share/global`, `share/regions`, `share/sentences`: the weighted terms over the total, where there are several.
        """
        terms: dict[str, Tensor] = {}
        named: dict[str, Tensor] = {}
        attended = representations.attended
        if self.pairs is not None:
            losses = self.pairs(representations.image_projection, representations.report_projection)
            terms["global"] = self.pairs.weighted(losses)
            named |= _name_global(losses)
        if self.regions is not None and attended is not None and attended.report_to_regions is not None:
            elements = Elements(grid, weights=self._weights(representations.region_weights))
            local = self.regions(representations.region_projections, attended.report_to_regions, elements)
            terms["regions"] = self.regions.weighted(local)
            named |= {"regions/local_to_attended": local.local_to_attended}
            named |= {"regions/attended_to_local": local.attended_to_local}
        if self.sentences is not None and attended is not None and attended.image_to_sentences is not None:
            mask = representations.sentence_mask
            elements = Elements((mask.shape[1],), mask, self._weights(representations.sentence_weights))
            local = self.sentences(representations.sentence_projections, attended.image_to_sentences, elements)
            terms["sentences"] = self.sentences.weighted(local)
            named |= {"sentences/local_to_attended": local.local_to_attended}
            named |= {"sentences/attended_to_local": local.attended_to_local}
        first, *others = terms.values()
        total = sum(others, start=first)
        if others:
            named |= {f"share/{name}": term / total for name, term in terms.items()}
        return {"loss": total} | {name: value.detach() for name, value in named.items()}

    def _weights(self, attention: Tensor | None) -> Tensor | None:
        return attention if self.uses_attention else None


def _name_global(losses: GlobalLosses) -> dict[str, Tensor]:
    named = {"global/image_to_report": losses.image_to_report, "global/report_to_image": losses.report_to_image}
    for k in _TOP:
        named[f"accuracy/top{k}_image_to_report"] = compute_top_accuracy(losses.image_logits, k)
        named[f"accuracy/top{k}_report_to_image"] = compute_top_accuracy(losses.report_logits, k)
    return named
