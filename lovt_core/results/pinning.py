"""Which row a person means."""

import difflib
from collections.abc import Sequence

from lovt_core.errors import InputError


def find_label(text: str, labels: Sequence[str]) -> str:
    """The label that equals `text`, else the only one that begins with it, small and capital letters alike.

    Raises InputError when there is none, or several.
    """
    folded = text.casefold()
    for candidates in (
        [label for label in labels if label == text],
        [label for label in labels if label.casefold() == folded],
        [label for label in labels if label.casefold().startswith(folded)],
    ):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise InputError(f"'{text}' is the beginning of several rows: {', '.join(candidates)}; name one of them")
    near = difflib.get_close_matches(text, labels, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    raise InputError(
        f"no row is called '{text}': {hint}rows are {', '.join(labels) or 'none, as nothing is evaluated'}"
    )
