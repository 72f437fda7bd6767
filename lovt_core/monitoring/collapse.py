"""Embeddings that have all become the same, and when to say so."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lovt_core.values import Alarm, Note

_COLLAPSED, _RECOVERED = 0.05, 0.1
"""Shares of the standard deviation on a uniform sphere: below the one embeddings have collapsed (their mean cosine
similarity exceeds 0.997), above the other it is over. The published LoVT has 0.88 and more in all that is watched."""
_VALIDATIONS = 2
"""How many in a row must say so: a single one may be of weights that have hardly moved yet."""


@dataclass(frozen=True)
class Watched:
    """A standard deviation that must not vanish."""

    metric: str
    """Of the validation, without `val/`."""
    meaning: str
    """`the standard deviation of image embeddings`."""
    dimension: int
    """Of the embeddings, which have unit length."""

    @property
    def uniform(self) -> float:
        """What it would be if embeddings were spread evenly over all directions."""
        return 1 / math.sqrt(self.dimension)


@dataclass(frozen=True)
class Collapse:
    """Of one watched metric."""

    since_epoch: int
    """Counted from 1: epochs done at the first of the validations in a row that were low."""
    validations: int = 1
    """How many there have been."""


Collapses = Mapping[str, Collapse]
"""By metric, those that are low at present."""


def judge_collapse(
    watched: tuple[Watched, ...], values: Mapping[str, float], epochs: int, earlier: Collapses
) -> tuple[dict[str, Collapse], list[Alarm | Note]]:
    """What is low after the validation that follows `epochs` epochs, and what to say about it.

    There is an alarm when a collapse begins, a note that ends it when it is over, and nothing in between. Metrics that
    are absent or not a number change nothing.
    """
    low: dict[str, Collapse] = dict(earlier)
    news: list[Alarm | Note] = []
    for each in watched:
        topic = f"collapse of {each.metric}"
        value, before = values.get(each.metric, float("nan")), earlier.get(each.metric)
        described = f"{each.meaning} is {value:.2g} (a uniform sphere has {each.uniform:.2g})"
        if value < _COLLAPSED * each.uniform:
            now = Collapse(epochs) if before is None else Collapse(before.since_epoch, before.validations + 1)
            low[each.metric] = now
            if now.validations == _VALIDATIONS:
                news.append(Alarm(f"embedding collapse since epoch {now.since_epoch}: {described}", topic))
        elif before is not None and before.validations < _VALIDATIONS and value == value:
            del low[each.metric]
        elif before is not None and value > _RECOVERED * each.uniform:
            del low[each.metric]
            news.append(Note(f"the embedding collapse since epoch {before.since_epoch} is over: {described}", topic))
    return low, news
