"""Reports are true: what they say is there is there, what they deny is not, and place and size are named."""

import numpy as np
import pytest

from lovt_core.data.reports.text import split_sentences
from lovt_core.data.synthetic.anatomy import build_anatomy
from lovt_core.data.synthetic.devices import Devices, plan_devices
from lovt_core.data.synthetic.findings import Finding, plan_findings
from lovt_core.data.synthetic.phrases import ABSENT, DISTRACTORS, NORMAL, PRESENT, SEVERITIES, ZONE_WORDS
from lovt_core.data.synthetic.reports import write_report

Written = tuple[tuple[Finding, ...], Devices, tuple[str, ...]]


@pytest.fixture(scope="module")
def written() -> list[Written]:
    """Plans with the reports about them."""
    rng = np.random.default_rng(0)
    plans = [(plan_findings(build_anatomy(rng), rng), plan_devices(rng)) for _ in range(1500)]
    return [(findings, devices, write_report(findings, devices, rng)) for findings, devices in plans]


def could_describe(sentence: str, finding: Finding) -> bool:
    """Whether a sentence is one that this finding may get."""
    words = SEVERITIES[finding.kind]
    severity = words[min(int(finding.severity * len(words)), len(words) - 1)]
    zones = ZONE_WORDS[finding.zone] if finding.zone else ("",)
    names = ("the {side} {zone} zone", "the {side} {zone} lung zone", "the {side} {zone} lung")
    return any(
        sentence.lower()
        == template.format(
            severity=severity, side=finding.side, place=name.format(side=finding.side, zone=zone)
        ).lower()
        for template in PRESENT[finding.kind]
        for name in names
        for zone in zones
    )


def test_every_finding_has_its_sentence_but_one_in_twenty(written: list[Written]) -> None:
    findings = [(finding, report) for planned, _, report in written for finding in planned]
    missing = [finding for finding, report in findings if not any(could_describe(line, finding) for line in report)]
    assert len(missing) / len(findings) == pytest.approx(0.05, abs=0.015)


def test_nothing_is_described_that_is_not_there(written: list[Written]) -> None:
    harmless = {*DISTRACTORS, *NORMAL, *(line for lines in ABSENT.values() for line in lines)}
    for findings, devices, report in written:
        for line in report:
            if line in harmless or any(could_describe(line, finding) for finding in findings):
                continue
            assert "lead" in line or "tube" in line.lower(), line
            assert devices.num_leads or devices.has_tube


def test_nothing_is_denied_that_is_there(written: list[Written]) -> None:
    for findings, _, report in written:
        denied = {kind for kind, lines in ABSENT.items() if any(line in report for line in lines)}
        assert 1 <= len(denied) <= 3
        assert not denied & {finding.kind for finding in findings}


def test_only_films_without_findings_are_called_normal(written: list[Written]) -> None:
    for findings, _, report in written:
        assert any(line in NORMAL for line in report) == (not findings)


def test_sentences_come_in_any_order_and_are_whole(written: list[Written]) -> None:
    first_is_negation = 0
    for _, _, report in written:
        assert 1 <= len(report) <= 10
        assert all(line[0].isupper() and line.endswith(".") and "  " not in line and "{" not in line for line in report)
        first_is_negation += any(report[0] in lines for lines in ABSENT.values())
    assert 0.2 < first_is_negation / len(written) < 0.6


def test_the_sentence_splitter_recovers_the_sentences(written: list[Written]) -> None:
    for _, _, report in written[:300]:
        assert split_sentences(" ".join(report)) == report
