"""Labels of samples as the codes of `objectives/multilabel.py`."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from lovt_core.objectives.multilabel import BLANK

Findings = Mapping[str, int]
"""Labels of one sample: 1 present, 0 absent, -1 uncertain; what is not mentioned is left out."""


def encode_findings(findings: Iterable[Findings], labels: Sequence[str]) -> Tensor:
    """(B, K) int8 for B samples and K labels."""
    return torch.tensor([[each.get(label, BLANK) for label in labels] for each in findings], dtype=torch.int8)
