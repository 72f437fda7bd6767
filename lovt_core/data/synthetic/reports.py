"""Radiology-style reports: a sentence for each finding with its size, side and zone, true negations, distractors."""

import numpy as np

from lovt_core.data.synthetic.devices import Devices
from lovt_core.data.synthetic.findings import LOOKS, Finding, FindingKind
from lovt_core.data.synthetic.phrases import (
    ABSENT,
    DISTRACTORS,
    NORMAL,
    PRESENT,
    SEVERITIES,
    SINGLE_LEAD,
    TUBE,
    ZONE_NAMES,
    ZONE_WORDS,
    leads,
)

_LEFT_OUT = 0.05
"""Probability that a finding is not mentioned: reports miss things."""


def write_report(findings: tuple[Finding, ...], devices: Devices, rng: np.random.Generator) -> tuple[str, ...]:
    """Two to eight sentences in random order, each ending in a full stop; never empty."""
    sentences = [_describe(finding, rng) for finding in findings if rng.random() >= _LEFT_OUT]
    if not findings:
        sentences.append(_choose(NORMAL, rng))
    sentences += _negations(findings, rng)
    sentences += _sample(DISTRACTORS, int(rng.integers(0, 3)), rng)
    if devices.num_leads and rng.random() < 0.4:
        sentences.append(SINGLE_LEAD if devices.num_leads == 1 else leads(devices.num_leads))
    if devices.has_tube and rng.random() < 0.8:
        sentences.append(_choose(TUBE, rng))
    return tuple(sentences[index] for index in rng.permutation(len(sentences)))


def _describe(finding: Finding, rng: np.random.Generator) -> str:
    template = _choose(PRESENT[finding.kind], rng)
    words = SEVERITIES[finding.kind]
    severity = words[min(int(finding.severity * len(words)), len(words) - 1)]
    zone = ""
    if finding.zone is not None and finding.side is not None:
        place = _choose(ZONE_WORDS[finding.zone], rng)
        zone = _choose(ZONE_NAMES, rng).format(side=finding.side, zone=place)
    sentence = template.format(severity=severity, place=zone, side=finding.side)
    return sentence[0].upper() + sentence[1:]


def _negations(findings: tuple[Finding, ...], rng: np.random.Generator) -> list[str]:
    """One to three statements that kinds which are not there are not there."""
    present = {finding.kind for finding in findings}
    absent: list[FindingKind] = [looks.kind for looks in LOOKS if looks.kind not in present and looks.kind in ABSENT]
    chosen = rng.permutation(len(absent))[: int(rng.integers(1, 4))]
    return [_choose(ABSENT[absent[index]], rng) for index in chosen]


def _choose(texts: tuple[str, ...], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]


def _sample(texts: tuple[str, ...], count: int, rng: np.random.Generator) -> list[str]:
    return [texts[index] for index in rng.permutation(len(texts))[:count]]
