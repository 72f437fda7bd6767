"""Reports as MIMIC-CXR writes them: headings in capitals after one blank, wrapped lines, names and dates as `___`."""

import textwrap
from collections.abc import Sequence

import numpy as np

from lovt_core.data.synthetic.phrases import ABSENT, DISTRACTORS, SINGLE_LEAD, TUBE, leads

_TITLE = " " * 33 + "FINAL REPORT"
_WIDTH = 78
_STYLES = ("both", "impression only", "findings only", "neither", "normal")
_FREQUENCIES = (0.66, 0.20, 0.05, 0.06, 0.03)
_WET_READ = 0.08
"""Probability that a preliminary reading precedes the report."""
_INDICATIONS = ("cough and fever", "shortness of breath", "chest pain", "a fall", "weakness", "hypoxia")
_COMPARISONS = ("None.", "___.", "Chest radiograph from ___.")
DEVICE_SENTENCES = frozenset((*TUBE, SINGLE_LEAD, *map(leads, range(2, 9))))
_MINOR = DEVICE_SENTENCES | frozenset(DISTRACTORS) | {text for texts in ABSENT.values() for text in texts}
"""Sentences that do not belong in an impression."""


def write_report(sentences: Sequence[str], examination: str, person: str, rng: np.random.Generator) -> str:
    """The file of one study; `person` is for example `64F`. Some reports have neither findings nor impression."""
    style = str(rng.choice(_STYLES, p=_FREQUENCIES))
    indication = f"___{person[-1]} with {rng.choice(_INDICATIONS)}  // evaluate for acute process"
    parts = [
        _section("EXAMINATION", examination),
        _section("INDICATION", indication),
        _section("TECHNIQUE", "Chest radiograph, " + ("portable." if "PORTABLE" in examination else "upright.")),
        _section("COMPARISON", str(rng.choice(_COMPARISONS))),
    ]
    findings, impression = _divide(sentences, style)
    numbered = rng.random() < 0.3
    if style == "neither":
        parts = [_section("REASON FOR EXAM", indication), _wrap(" ".join(sentences))]
    if findings:
        parts.append(" FINDINGS: \n \n" + _wrap(" ".join(findings)))
    if impression:
        parts.append(" IMPRESSION: \n \n" + (_number(impression) if numbered else _wrap(" ".join(impression))))
    wet_read = _write_wet_read(sentences[0], rng) if rng.random() < _WET_READ else ""
    return wet_read + _TITLE + "\n" + "\n \n".join(parts) + "\n"


def _divide(sentences: Sequence[str], style: str) -> tuple[Sequence[str], Sequence[str]]:
    """Findings and impression: together all sentences, each once, unless the style has no room for them."""
    match style:
        case "impression only":
            return (), sentences
        case "findings only":
            return sentences, ()
        case "neither":
            return (), ()
        case "normal":
            return (), ("Normal.",)  # too short to be kept
        case _:
            major = [sentence for sentence in sentences if sentence not in _MINOR] or [sentences[-1]]
            return [sentence for sentence in sentences if sentence not in major[:2]], major[:2]


def _section(heading: str, text: str) -> str:
    return _wrap(f"{heading}:  {text}")


def _wrap(text: str) -> str:
    lines = textwrap.wrap(text, _WIDTH, break_on_hyphens=False, break_long_words=False, drop_whitespace=True)
    return "\n".join(f" {line}" for line in lines)


def _number(sentences: Sequence[str]) -> str:
    return "\n".join(_wrap(f"{number}.  {sentence}") for number, sentence in enumerate(sentences, start=1))


def _write_wet_read(sentence: str, rng: np.random.Generator) -> str:
    hour, minute = int(rng.integers(1, 13)), int(rng.integers(60))
    return f" WET READ: ___ ___ {hour}:{minute:02d} PM\n {_wrap(sentence)}\n {'_' * 78}\n"
