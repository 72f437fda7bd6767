"""The methods of pre-training, each with its encoder and heads (paper section 3; PROTOCOL B.2 to B.4)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lovt_core.config.base import Section
from lovt_core.config.data import ViewsConfig
from lovt_core.config.encoders import (
    BackboneConfig,
    ImageEncoderConfig,
    Padding,
    ProjectionConfig,
    ReportEncoderConfig,
)
from lovt_core.config.objective import ObjectiveConfig

Size = Annotated[int, Field(ge=1)]
Decay = Annotated[float, Field(ge=0, le=1)]
Meaning = Literal["present", "absent", "unknown"]
CHEXPERT_LABELS = (
    *("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Enlarged Cardiomediastinum", "Fracture"),
    *("Lung Lesion", "Lung Opacity", "No Finding", "Pleural Effusion", "Pleural Other", "Pneumonia"),
    *("Pneumothorax", "Support Devices"),
)
"""Of CheXpert's table, in its order."""
CHEXPERT_FIVE = ("Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion")
"""The labels of the supervised baseline, of the 14 of CheXpert's table, in the order of its logits."""


class LovtConfig(Section):
    """LoVT; ConVIRT and CLIP are settings of it."""

    name: Literal["lovt"] = "lovt"
    image_encoder: ImageEncoderConfig = ImageEncoderConfig()
    report_encoder: ReportEncoderConfig = ReportEncoderConfig()
    projection: ProjectionConfig = ProjectionConfig()
    objective: ObjectiveConfig = ObjectiveConfig()
    padding: Padding = "ignored"
    """`published` lets padded sentences into the pooling query and the batch norms, as the authors' code does."""

    @model_validator(mode="after")
    def _losses_fit_encoders(self) -> "LovtConfig":
        objective = self.objective
        if objective.global_ is None and objective.regions is None and objective.sentences is None:
            raise ValueError("objective has no loss: give at least one of global, regions, sentences")
        if objective.local_weights == "attention":
            for loss, encoder in (("regions", "image_encoder"), ("sentences", "report_encoder")):
                if getattr(objective, loss) is not None and getattr(self, encoder).pooling != "attention":
                    raise ValueError(
                        f"objective.local_weights 'attention' needs {encoder}.pooling 'attention' for the {loss} loss; "
                        "set local_weights to 'uniform'"
                    )
        return self


class SimclrConfig(Section):
    """SimCLR: two views of an image are told from those of the others in the batch (Chen et al. 2020)."""

    name: Literal["simclr"] = "simclr"
    image_encoder: BackboneConfig = BackboneConfig()
    hidden: Size = 2048
    size: Size = 128
    """Of the projection, whose layers have neither bias nor norm."""
    temperature: Annotated[float, Field(gt=0)] = 0.1


class ByolConfig(Section):
    """BYOL: a view predicts what a slowly following copy makes of the other view (Grill et al. 2020)."""

    name: Literal["byol"] = "byol"
    image_encoder: BackboneConfig = BackboneConfig()
    hidden: Size = 4096
    size: Size = 128
    """Of projection and prediction."""
    decay: Decay = 0.99
    """Share of itself that the copy keeps at each optimiser step."""


class PixelproConfig(Section):
    """PixelPro: cells of two views that show the same place agree, and the views do as in BYOL (Xie et al. 2021)."""

    name: Literal["pixelpro"] = "pixelpro"
    image_encoder: BackboneConfig = BackboneConfig()
    hidden: Size = 2048
    size: Size = 512
    """Of the projections of cells and images, and of the prediction."""
    decay: Decay = 0.99
    gamma: Annotated[float, Field(ge=1)] = 2.0
    """Sharpness of the similarities with which a cell is propagated."""
    distance_threshold: Annotated[float, Field(gt=0)] = 0.7
    """In diagonals of a cell: nearer ones show the same place."""
    instance_weight: Annotated[float, Field(ge=0)] = 1.0
    """Of BYOL's loss beside that of the cells."""


class SupervisedConfig(Section):
    """Classification of CheXpert labels."""

    name: Literal["supervised"] = "supervised"
    image_encoder: BackboneConfig = BackboneConfig()
    labels: Annotated[tuple[str, ...], Field(min_length=1)] = CHEXPERT_FIVE
    uncertain: Meaning = "present"
    """What a label that is uncertain counts as; `unknown` ones are left out of the loss."""
    blank: Meaning = "absent"
    """Likewise a label that is not mentioned."""

    @model_validator(mode="after")
    def _labels_differ(self) -> "SupervisedConfig":
        twice = next((label for label in self.labels if self.labels.count(label) > 1), None)
        if twice is not None:
            raise ValueError(f"labels: '{twice}' stands twice: give each label once")
        return self


MethodConfig = Annotated[
    LovtConfig | SimclrConfig | ByolConfig | PixelproConfig | SupervisedConfig, Field(discriminator="name")
]
METHODS = ("lovt", "simclr", "byol", "pixelpro", "supervised")

_RESIZED_CROPS = ViewsConfig()
_CUT_OUTS = ViewsConfig(crop_area=(0.6**2, 0.8**2), crop_aspect=(1.0, 1.0), flip=0.25)
"""60 to 80 % of each side."""
VIEWS: Mapping[str, ViewsConfig] = {"simclr": _RESIZED_CROPS, "byol": _RESIZED_CROPS, "pixelpro": _CUT_OUTS}
"""Methods that compare two views of each image, and how these are drawn (PROTOCOL B.4)."""

_NORM = "the batch norms of the projections have no statistics of a single image"
LONE_SAMPLE: Mapping[str, str] = {
    "lovt": "the other pairs of a batch are the negatives",
    "simclr": "the other images of a batch are the negatives",
    "byol": _NORM,
    "pixelpro": _NORM,
}
"""Why a batch must not be a single sample."""

GATHERING = ("lovt", "simclr")
"""Methods whose losses have negatives from the rest of the batch: GPUs may gather them from each other."""
