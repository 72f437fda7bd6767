"""Report text to clean sentences, by rules made for radiology prose (no model, no download).

`clean_text` follows section 15 of the reference vectors. The published pipeline splits with a neural tokeniser that
must be downloaded; the rules here are this project's own.
"""

import itertools
import re
from collections.abc import Sequence
from typing import Literal

from lovt_core.data.reports.sentence_ends import find_ends

MIN_TOKENS = 3
"""Reports with fewer tokens are dropped (PROTOCOL B.1)."""

_LINE_BREAKS = re.compile(r"(?:[ \t]*(?:\r\n|\r|\n))+")
_BLANKS = re.compile(r"[ \t]+")
_PARAGRAPH_BREAK = re.compile(r"(?:[ \t]*(?:\r\n|\r(?!\n)|\n)){2,}")  # one CR LF is one break, not two
_ITEM_BREAK = re.compile(r"[ \t]*(?:\r\n|\r|\n)[ \t]*(?=(?:\(?\d{1,2}[.)]|[-*•])[ \t])")
_ITEM_MARK = re.compile(r"(?:\(?\d{1,2}[.)],?|[-*•])(?:\s+(?=\S)|(?=[A-Z][a-z]))")
_HEADED_ITEM_MARK = re.compile(r"(?<=:) \(?1[.)](?= )")
_DOUBLE_STOP = re.compile(r"(?<!\.)\.\.\Z")
_TOKEN = re.compile(r"\w+(?:[-'’./]\w+)*|[^\w\s]")


def clean_text(text: str, newlines: Literal["space", "keep"] = "space") -> str:
    """Runs of line breaks to one space (or one line break), runs of blanks to one space, nothing around."""
    text = _BLANKS.sub(" ", text)  # long runs would take the next pattern quadratic time
    text = _LINE_BREAKS.sub("\n" if newlines == "keep" else " ", text)
    return _BLANKS.sub(" ", text).strip()


def split_sentences(text: str) -> tuple[str, ...]:
    """Clean sentences of a report, without the numbers of enumerations; what holds no letter or digit is left out.

    A doubled full stop becomes one (a frequent slip of dictation templates), an ellipsis stays.
    A single line break is a blank (reports are wrapped) unless a list item follows; an empty line ends a sentence.
    """
    sentences: list[str] = []
    for paragraph in _PARAGRAPH_BREAK.split(_BLANKS.sub(" ", text)):
        for item in _ITEM_BREAK.split(paragraph):
            sentences += _split_block(clean_text(item))
    return tuple(sentences)


def count_tokens(sentences: Sequence[str]) -> int:
    """Words and punctuation marks of all sentences."""
    return sum(len(tokenize(sentence)) for sentence in sentences)


def tokenize(sentence: str) -> list[str]:
    """Words and punctuation marks; `T8-T9`, `3.5` and `and/or` are one word."""
    return _TOKEN.findall(sentence)


def _split_block(text: str) -> list[str]:
    edges = [0, *find_ends(text), len(text)]
    pieces = (text[start:end].strip() for start, end in itertools.pairwise(edges))
    unnumbered = (_remove_item_mark(piece) for piece in pieces)
    return [
        _DOUBLE_STOP.sub(".", sentence) for sentence in unnumbered if any(character.isalnum() for character in sentence)
    ]


def _remove_item_mark(sentence: str) -> str:
    match = _ITEM_MARK.match(sentence)
    return sentence[match.end() :] if match else _HEADED_ITEM_MARK.sub("", sentence, count=1)
