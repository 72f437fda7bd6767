"""Losses of the paired methods: weights and temperatures (paper section 3.3 to 3.5; PROTOCOL B.2)."""

from typing import Annotated, Literal

from pydantic import Field

from lovt_core.config.base import Section

Weight = Annotated[float, Field(ge=0)]
Temperature = Annotated[float, Field(gt=0)]


class GlobalContrastiveConfig(Section):
    """Image-report contrastive loss between the pairs of a batch."""

    temperature: Temperature = 0.1
    image_to_report: Weight = 0.75
    report_to_image: Weight = 0.25
    negatives_from_same_modality: bool = False


class LocalContrastiveConfig(Section):
    """Contrastive loss inside a sample, between each element and what the other modality says about it."""

    temperature: Temperature = 0.3
    local_to_attended: Weight = 0.375
    attended_to_local: Weight = 0.375
    distance_threshold: Annotated[float, Field(ge=0)] = 0.0
    """T: elements within this distance are positives."""
    threshold_type: Literal["relative", "absolute"] = "absolute"
    """`relative`: distances are divided by the diagonal of the grid."""
    smoothing: bool = False
    """Whether positives are weighted by exp(-lambda * distance)."""
    smoothing_lambda: Annotated[float, Field(ge=0)] = 1.0


class RegionContrastiveConfig(LocalContrastiveConfig):
    """The paper's settings for image regions."""

    distance_threshold: Annotated[float, Field(ge=0)] = 0.5
    threshold_type: Literal["relative", "absolute"] = "relative"
    smoothing: bool = True


class ObjectiveConfig(Section):
    """All losses of LoVT; ConVIRT and CLIP leave `regions` and `sentences` out."""

    global_: Annotated[GlobalContrastiveConfig | None, Field(alias="global")] = GlobalContrastiveConfig()
    regions: RegionContrastiveConfig | None = RegionContrastiveConfig()
    sentences: LocalContrastiveConfig | None = LocalContrastiveConfig()
    local_weights: Literal["attention", "uniform"] = "attention"
    """Weight of each region and sentence: the pooling's attention (no gradient), or equal."""
