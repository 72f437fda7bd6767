"""Image encoder, report encoder and projections (paper sections 3.1 and 3.2; PROTOCOL B.2)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lovt_core.config.base import Section

Pooling = Literal["attention", "average"]
Padding = Literal["ignored", "published"]


class BackboneConfig(Section):
    """Backbone from timm, its first weights, and which of its feature maps is trained."""

    backbone: str = "resnet50"
    """Name of a timm model that offers `features_only`."""
    weights: str = "imagenet"
    """`imagenet`, `random`, a name from `lovt weights list`, `timm:<name>`, or the path of a file with
    weights (docs/encoders.md)."""
    stride: Literal[4, 8, 16, 32] = 32
    """Stride of the feature map whose cells are the regions (32: conv5 of a ResNet-50)."""


class ImageEncoderConfig(BackboneConfig):
    """Backbone, and how its regions become one image representation."""

    pooling: Pooling = "attention"
    num_heads: Annotated[int, Field(ge=1)] = 8


class TinyBert(Section):
    """A BERT small enough for a laptop, always with random weights and a WordPiece vocabulary of the corpus."""

    width: Annotated[int, Field(ge=8)] = 64
    layers: Annotated[int, Field(ge=1)] = 2
    heads: Annotated[int, Field(ge=1)] = 2
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    vocabulary_size: Annotated[int, Field(ge=64)] = 512

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "TinyBert":
        if self.width % self.heads:
            raise ValueError(f"heads {self.heads} does not divide width {self.width}")
        return self


class ReportEncoderConfig(Section):
    """Language model from transformers and how its tokens become sentences and one report representation."""

    model: str = "emilyalsentzer/Bio_ClinicalBERT"
    """Hub name, a name from `lovt weights list`, a folder with a saved model and tokenizer, or `tiny`."""
    tiny: TinyBert | None = None
    """Sizes used when `model` is `tiny`."""
    freeze_embeddings: bool = True
    frozen_layers: Annotated[int, Field(ge=0)] = 6
    max_tokens: Annotated[int, Field(ge=3)] = 512
    pooling: Literal["attention", "max"] = "attention"
    """`attention` over sentences (LoVT) or `max` over all tokens (ConVIRT, CLIP)."""
    num_heads: Annotated[int, Field(ge=1)] = 8


class ProjectionConfig(Section):
    """The heads that map representations y to the common space z (local and global alike)."""

    hidden: Annotated[int, Field(ge=1)] = 2048
    size: Annotated[int, Field(ge=1)] = 512
    norm: Literal["batch", "none"] = "batch"
