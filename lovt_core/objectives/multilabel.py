"""Classification of several findings at once, with labels that may be uncertain or blank (PROTOCOL B.4; vectors 23).

Shapes: N images, K labels.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lovt_core.config.methods import Meaning

PRESENT, ABSENT, UNCERTAIN, BLANK = 1, 0, -1, -2
"""Codes of labels: those of prepared data, and one for a finding that is not mentioned."""


@dataclass(frozen=True)
class Targets:
    """What a classifier should say."""

    present: Tensor
    """(N, K), bool."""
    known: Tensor
    """(N, K), bool: False where `present` means nothing."""


@dataclass(frozen=True)
class LabelReading:
    """What uncertain and blank labels count as; the defaults are the protocol's, which leave nothing unknown."""

    uncertain: Meaning = "present"
    blank: Meaning = "absent"

    def read(self, labels: Tensor) -> Targets:
        """Codes (N, K) of any type, each one of the four above, to what they count as."""
        present, known = labels == PRESENT, (labels == PRESENT) | (labels == ABSENT)
        for code, meaning in ((UNCERTAIN, self.uncertain), (BLANK, self.blank)):
            if meaning != "unknown":
                known = known | (labels == code)
            if meaning == "present":
                present = present | (labels == code)
        return Targets(present, known)


class MultilabelLoss(nn.Module):
    """Binary cross-entropy with logits, averaged over all known labels of a batch; 0 where none is known."""

    def forward(self, logits: Tensor, targets: Targets) -> Tensor:
        """logits (N, K). In float32 also under autocast."""
        with torch.autocast(logits.device.type, enabled=False):
            wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
            losses = F.binary_cross_entropy_with_logits(wide, targets.present.to(wide.dtype), reduction="none")
            return (losses * targets.known).sum() / targets.known.sum().clamp_min(1)


def compute_auroc(scores: Tensor, targets: Targets) -> Tensor:
    """Area under the ROC curve of each label, over its known targets: scores (N, K) -> (K,), float64 on the CPU.

    The share of pairs of one image with and one without the finding in which the former scores higher, ties counting
    half (Mann and Whitney). NaN where a label has no such pair, or a score that is not a number.
    """
    columns = zip(scores.detach().cpu().double().T, targets.present.cpu().T, targets.known.cpu().T, strict=True)
    areas = [_compute_area(column[known], present[known]) for column, present, known in columns]
    return torch.tensor(areas, dtype=torch.float64)


def compute_macro_auroc(areas: Tensor) -> float:
    """Mean over the labels that have an area; NaN where none has."""
    return float(areas.nanmean())


def _compute_area(scores: Tensor, present: Tensor) -> float:
    num_present = int(present.sum())
    num_pairs = num_present * (len(present) - num_present)
    if num_pairs == 0 or bool(scores.isnan().any()):
        return math.nan
    _, place, counts = torch.unique(scores, return_inverse=True, return_counts=True)
    ranks = counts.cumsum(0) - (counts.double() - 1) / 2
    rank_sum = float(ranks[place][present].sum())
    return (rank_sum - num_present * (num_present + 1) / 2) / num_pairs
