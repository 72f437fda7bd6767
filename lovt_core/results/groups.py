"""Groups of rows as in the paper, the order of rows in them, and names that tell rows apart."""

from collections.abc import Sequence
from typing import Final

from lovt_core.results.cells import EncoderIdentity
from lovt_core.results.published import PublishedScore

GENERAL: Final = "general initialisation"
MIMIC_30: Final = "30 % of MIMIC-CXR"
MIMIC_100: Final = "100 % of MIMIC-CXR"
PAPER_GROUPS: Final = (GENERAL, MIMIC_30, MIMIC_100)
OTHER_WEIGHTS: Final = "other weights"
"""Of encoders that do not say what they were pre-trained on."""
IMPORTED: Final = "imported results"
"""Of scores from files that do not say what their encoders were pre-trained on."""

_BUILT_IN = ("random", "random-fitted", "imagenet")
"""Sources in the order of rows."""


def group_of_published(score: PublishedScore) -> str:
    """The paper's group of a row."""
    return GENERAL if score.pretraining_percent is None else f"{score.pretraining_percent} % of MIMIC-CXR"


def group_of_encoder(encoder: EncoderIdentity) -> str:
    """General initialisation, or what the encoder was pre-trained on, such as `pre-trained on openi`."""
    if encoder.source in _BUILT_IN or encoder.source.startswith("timm:"):
        return GENERAL
    return f"pre-trained on {', '.join(encoder.pretrained_on)}" if encoder.pretrained_on else OTHER_WEIGHTS


def order_in_group(encoder: EncoderIdentity) -> int:
    """Sort key of one's own rows in a group: random, fitted random, ImageNet, then all others as they came."""
    return _BUILT_IN.index(encoder.source) if encoder.source in _BUILT_IN else len(_BUILT_IN)


def order_of_group(group: str, own_groups: Sequence[str]) -> int:
    """Sort key: the paper's groups, then one's own as they came, other weights last."""
    if group in PAPER_GROUPS:
        return PAPER_GROUPS.index(group)
    return len(PAPER_GROUPS) + (len(own_groups) if group == OTHER_WEIGHTS else own_groups.index(group))


def name_rows(encoders: Sequence[EncoderIdentity]) -> list[str]:
    """Labels; encoders that share one also get their backbone, or else the beginning of their fingerprint."""
    labels = [encoder.label for encoder in encoders]
    with_backbone = [f"{encoder.label} ({encoder.backbone})" for encoder in encoders]
    with_fingerprint = [f"{encoder.label} [{encoder.fingerprint[:6]}]" for encoder in encoders]
    names = []
    for own in zip(labels, with_backbone, with_fingerprint, strict=True):
        is_unique = (labels.count(own[0]) == 1, with_backbone.count(own[1]) == 1, True)
        names.append(own[is_unique.index(True)])
    return names
