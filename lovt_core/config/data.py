"""Which prepared data an experiment reads, and its augmentation (`19_augmentation.json` of the reference)."""

from typing import Annotated, Literal

from pydantic import Field

from lovt_core.config.base import Section

Range = tuple[float, float]
Probability = Annotated[float, Field(ge=0, le=1)]


class PairedDataConfig(Section):
    """Image-report pairs for pre-training."""

    name: str
    """Name of a data set (`lovt data list`)."""
    split: str = "patient:0"
    """`patient:SEED` is a seeded split by patient."""
    train_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    """The first samples of the training list are used, as the protocol does."""
    exclude_overlap_with: tuple[str, ...] = ()
    """Training images that are also in these data sets (by perceptual hash) are left out."""
    image_size: Annotated[int, Field(ge=32)] = 224
    normalisation: Literal["dataset", "image"] = "dataset"
    """Mean and standard deviation of the training split, or of each image by itself."""


class ImageAugmentationConfig(Section):
    """Random view of an image, drawn per sample."""

    enabled: bool = True
    crop_area: Range = (0.6, 1.0)
    crop_aspect: Range = (0.75, 4 / 3)
    flip: Probability = 0.5
    rotation_degrees: Annotated[float, Field(ge=0, le=180)] = 20.0
    translation: Annotated[float, Field(ge=0, lt=1)] = 0.1
    scale: Range = (0.95, 1.05)
    brightness: Range = (0.6, 1.4)
    contrast: Range = (0.6, 1.4)
    blur_sigma: Range | None = (0.1, 3.0)


class ReportAugmentationConfig(Section):
    """Random order or choice of sentences, drawn per sample."""

    swap_probability: Annotated[float, Field(ge=0, lt=1)] = 0.6
    """p of the geometric number of swaps; 0 leaves the order alone."""
    sentences: Literal["all", "one"] = "all"
    """`one` draws a single sentence (ConVIRT, CLIP)."""


class AugmentationConfig(Section):
    """Augmentation of training samples; validation sees none."""

    image: ImageAugmentationConfig = ImageAugmentationConfig()
    report: ReportAugmentationConfig = ReportAugmentationConfig()
