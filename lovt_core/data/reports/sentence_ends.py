"""Where sentences of radiology prose end.

A full stop ends a sentence unless what stands before or after it says otherwise: `Dr. XXXX`, `3 cm. in diameter`,
`1. No effusion`, `8 a.m. today`, `3. 5 mm`. A stop glued to a capital ends one too: `Lungs are clear.No effusion.`
`XXXX` is the mark that de-identification leaves in place of words.
"""

import re
from collections.abc import Iterator

_GLUED = r"(?:(?<=[a-z)%]\.)(?=[A-Z][A-Za-z]|\d{1,2}[.)]\s)|(?<=[A-Z]{2}\.)(?=[A-Z][a-z]))"
_STOP = re.compile(rf"[.!?]+[\"'”’)\]]*(?:\s+(?=\S)|{_GLUED})")
_ITEM_NUMBER = re.compile(r"(?:[A-Z][\w/ ]{0,40}:\s+)?\(?(\d{1,2})[.)],?\s")
_HEADING = re.compile(r"[A-Z]\w*(?: [a-z]+)? ")
"""What may stand before a list without a colon: `Right foot 1. No erosion. 2. ...`"""
_INITIAL = re.compile(r"\b(?:dr|mr|mrs|ms|prof)\b\.?(?: ?[a-z]\.)* ?[a-z]\Z", re.IGNORECASE)
_INITIAL_REACH = 20
"""Letters to look back for the title."""
_DATE = re.compile(r"XXXX\b|\d")

_PEOPLE = ("dr", "drs", "mr", "mrs", "ms", "prof", "st", "pt", "pts")
_REFERENCES = ("vs", "approx", "esp", "incl", "resp", "ca", "cf", "fig", "figs", "eg", "e.g", "ie", "i.e", "viz")
_NEVER_LAST = frozenset((*_PEOPLE, *_REFERENCES))
"""Always followed by more of the same sentence."""
_HOURS = frozenset(("a.m", "p.m"))
"""A date after them belongs to the same sentence."""
_SHORT_FORMS = frozenset(("temp", "hosp", "cont", "dept"))
"""May end a sentence, but a small letter after them goes on with it, as after every word of up to three letters."""
_MIN_WORD = 4
"""Letters of a word that ends a sentence even before a small letter (reports typed without capitals)."""


def find_ends(text: str) -> Iterator[int]:
    """Positions where a sentence ends and the next one begins, in a text of one line; the end of the text excluded."""
    start = 0
    item = _item_number(text, 0)
    for stop in _STOP.finditer(text):
        word_start = _find_word(text, start, stop.start())
        word = text[word_start : stop.start()]
        if _begins_item(text, (start, word_start), word, item):
            end = word_start  # `1. No effusion 2. Normal heart`
        elif _ends(text, word, stop, is_first=text[start : stop.start()].strip("( ") == word):
            end = stop.end()
        else:
            continue
        yield end
        start = end
        number = _item_number(text, start)
        item = item if number is None else number


def _find_word(text: str, start: int, end: int) -> int:
    """Where the word begins that ends at `end`: after a blank, a bracket or a quotation mark, not before `start`."""
    while end > start and not text[end - 1].isspace() and text[end - 1] not in "([\"'":
        end -= 1
    return end


def _item_number(text: str, position: int) -> int | None:
    match = _ITEM_NUMBER.match(text, position)
    return int(match.group(1)) if match else None


def _begins_item(text: str, before: tuple[int, int], word: str, item: int | None) -> bool:
    """Whether `word` numbers a list item in the middle of a line; `before`: the piece of its sentence before it."""
    if before[0] == before[1]:
        return False
    return (item is not None and word == str(item + 1)) or (word == "1" and bool(_HEADING.fullmatch(text, *before)))


def _ends(text: str, word: str, stop: re.Match[str], is_first: bool) -> bool:
    """Whether the stop after `word` ends a sentence; `is_first`: nothing stands before the word in its sentence."""
    following = text[stop.end()]
    lowered = word.lower()
    if lowered in _NEVER_LAST or following in ",;:" or _is_initial(text, stop.start()):
        return False
    if is_first and (word.isdigit() or len(word) == 1):
        return False  # the number or letter of a list item
    if word.isdigit():
        return _item_number(text, stop.end()) is not None or not (
            following.isdigit() or _follows_colon(text, stop, word)
        )
    if lowered == "no":
        return not following.isdigit()
    if lowered in _HOURS and _DATE.match(text, stop.end()):
        return False
    return not following.islower() or _ends_before_small(word, stop.group().strip())


def _is_initial(text: str, end: int) -> bool:
    """Whether the letter before `end` belongs to a person: `Dr. J. Smith`."""
    return _INITIAL.search(text, max(0, end - _INITIAL_REACH), end) is not None


def _ends_before_small(word: str, stop: str) -> bool:
    """Whether the stop after `word` ends a sentence although a small letter follows."""
    is_word = len(word) >= _MIN_WORD and word[0].isalpha() and "." not in word
    return is_word and word.lower() not in _SHORT_FORMS and set(stop) <= set(".)") and ".." not in stop


def _follows_colon(text: str, stop: re.Match[str], word: str) -> bool:
    return text[: stop.start() - len(word)].rstrip().endswith(":")
