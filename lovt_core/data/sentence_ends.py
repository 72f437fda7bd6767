"""Where sentences of radiology prose end.

A full stop ends a sentence unless what stands before or after it says otherwise: `Dr. XXXX`, `3 cm. in diameter`,
`1. No effusion`, `8 a.m. today`, `3. 5 mm`. A stop glued to a capital ends one too: `Lungs are clear.No effusion.`
"""

import re
from collections.abc import Iterator

_STOP = re.compile(r"[.!?]+[\"'”’)\]]*(?:\s+(?=\S)|(?:(?<=[a-z)%]\.)|(?<=[A-Z]{2}\.))(?=[A-Z][a-z]))")
_WORD_BEFORE = re.compile(r"[^\s(\[\"']*\Z")
_ITEM_NUMBER = re.compile(r"\(?(\d{1,2})[.)]\s")

_PEOPLE = ("dr", "drs", "mr", "mrs", "ms", "prof", "st", "pt", "pts")
_REFERENCES = ("vs", "approx", "esp", "incl", "resp", "ca", "cf", "fig", "figs", "eg", "e.g", "ie", "i.e", "viz")
_NEVER_LAST = frozenset((*_PEOPLE, *_REFERENCES))
"""Always followed by more of the same sentence."""
_SHORT_FORMS = frozenset(("temp", "hosp", "cont", "dept"))
"""May end a sentence, but a small letter after them goes on with it, as after every word of up to three letters."""
_MIN_WORD = 4
"""Letters of a word that ends a sentence even before a small letter (reports typed without capitals)."""


def find_ends(text: str) -> Iterator[int]:
    """Positions where a sentence ends and the next one begins, in a text of one line; the end of the text excluded."""
    start = 0
    item = _item_number(text, 0)
    for stop in _STOP.finditer(text):
        word_start = _WORD_BEFORE.search(text, start, stop.start())
        word = word_start.group() if word_start else ""
        if item is not None and word == str(item + 1) and word_start is not None and word_start.start() > start:
            end = word_start.start()  # `1. No effusion 2. Normal heart`
        elif _ends(text, word, stop, is_first=text[start : stop.start()].strip("( ") == word):
            end = stop.end()
        else:
            continue
        yield end
        start = end
        number = _item_number(text, start)
        item = item if number is None else number


def _item_number(text: str, position: int) -> int | None:
    match = _ITEM_NUMBER.match(text, position)
    return int(match.group(1)) if match else None


def _ends(text: str, word: str, stop: re.Match[str], is_first: bool) -> bool:
    """Whether the stop after `word` ends a sentence; `is_first`: nothing stands before the word in its sentence."""
    following = text[stop.end()]
    lowered = word.lower()
    if lowered in _NEVER_LAST or following in ",;:":
        return False
    if is_first and (word.isdigit() or len(word) == 1):
        return False  # the number or letter of a list item
    if word.isdigit():
        return _item_number(text, stop.end()) is not None or not (
            following.isdigit() or _follows_colon(text, stop, word)
        )
    if lowered == "no":
        return not following.isdigit()
    if not following.islower():
        return True
    return (
        len(word) >= _MIN_WORD
        and "." not in word
        and lowered not in _SHORT_FORMS
        and set(stop.group().strip()) <= set(".)")
    )


def _follows_colon(text: str, stop: re.Match[str], word: str) -> bool:
    return text[: stop.start() - len(word)].rstrip().endswith(":")
