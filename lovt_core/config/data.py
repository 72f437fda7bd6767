"""Which prepared data an experiment reads, and its augmentation (`19_augmentation.json` of the reference)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from lovt_core.config.base import Section
from lovt_core.config.split_names import SplitName


def _ascends(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise ValueError(f"the smallest value {limits[0]:g} is above the largest one {limits[1]:g}")
    return limits


_Positive = Annotated[float, Field(gt=0)]
_Share = Annotated[float, Field(gt=0, le=1)]
_NotNegative = Annotated[float, Field(ge=0)]
AreaRange = Annotated[tuple[_Share, _Share], AfterValidator(_ascends)]
PositiveRange = Annotated[tuple[_Positive, _Positive], AfterValidator(_ascends)]
FactorRange = Annotated[tuple[_NotNegative, _NotNegative], AfterValidator(_ascends)]
Probability = Annotated[float, Field(ge=0, le=1)]


class PairedDataConfig(Section):
    """Image-report pairs for pre-training."""

    name: str
    """Name of a data set (`lovt data list`)."""
    split: SplitName = "auto"
    train_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    """The first samples of the training list are used, as the protocol does."""
    validation_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Likewise of the validation list."""
    exclude_overlap_with: tuple[str, ...] = ()
    """Training images that are also in these data sets (by perceptual hash) are left out."""
    image_size: Annotated[int, Field(ge=32)] = 224
    normalisation: Literal["dataset", "image"] = "dataset"
    """Mean and standard deviation of the training split, or of each image by itself."""


class ImageAugmentationConfig(Section):
    """Random view of an image, drawn per sample."""

    enabled: bool = True
    crop_area: AreaRange = (0.6, 1.0)
    crop_aspect: PositiveRange = (0.75, 4 / 3)
    flip: Probability = 0.5
    rotation_degrees: Annotated[float, Field(ge=0, le=180)] = 20.0
    translation: Annotated[float, Field(ge=0, lt=1)] = 0.1
    scale: PositiveRange = (0.95, 1.05)
    brightness: FactorRange = (0.6, 1.4)
    contrast: FactorRange = (0.6, 1.4)
    blur_sigma: FactorRange | None = (0.1, 3.0)


class ReportAugmentationConfig(Section):
    """Random order or choice of sentences, drawn per sample."""

    swap_probability: Annotated[float, Field(ge=0, lt=1)] = 0.6
    """p of the geometric number of swaps; 0 leaves the order alone."""
    sentences: Literal["all", "one"] = "all"
    """`one` draws a single sentence (ConVIRT, CLIP)."""
    swap_sides: bool = False
    """When an image is flipped, left and right in its report are exchanged; off as in the paper."""


class AugmentationConfig(Section):
    """Augmentation of training samples; validation sees none."""

    image: ImageAugmentationConfig = ImageAugmentationConfig()
    report: ReportAugmentationConfig = ReportAugmentationConfig()
