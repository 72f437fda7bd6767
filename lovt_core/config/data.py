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
    normalisation: Literal["dataset", "image", "half"] = "dataset"
    """Mean and standard deviation of the training split, of each image by itself, or 0.5 and 0.5 for all."""


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


class ViewsConfig(Section):
    """Two random views of each image that a method compares; what is left out is the method's own (PROTOCOL B.4)."""

    squash: Annotated[int, Field(ge=32)] = 512
    """Pixels a side of the square that the whole image is taken for, whatever its aspect: crops are drawn in it."""
    crop_area: AreaRange = (0.08, 1.0)
    crop_aspect: PositiveRange = (0.75, 4 / 3)
    flip: Probability = 0.5
    brightness: FactorRange = (0.2, 1.8)
    contrast: FactorRange = (0.2, 1.8)
    jitter: Probability = 0.8
    """Of a change of brightness and contrast, both or none."""
    blur_sigma: FactorRange = (0.1, 2.0)
    blur: Probability = 0.5
    per: Literal["image", "batch"] = "image"
    """`batch` draws one first and one second view for all images of a batch, as BYOL and PixelPro were published."""


class AugmentationConfig(Section):
    """Augmentation of training samples; validation sees none, but for the views."""

    image: ImageAugmentationConfig = ImageAugmentationConfig()
    report: ReportAugmentationConfig = ReportAugmentationConfig()
    views: ViewsConfig | None = None
    """Of the methods that compare two views of each image, in place of `image`."""
