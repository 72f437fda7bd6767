"""Pieces of an evaluation that earlier attempts of the run have finished."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Piece = Mapping[str, Any]


@dataclass(frozen=True)
class CompletedPieces:
    """Results of one task whose encoder, protocol and data are still the same."""

    rates: Mapping[float, Piece]
    """Trainings of the search by learning rate."""
    search: Piece | None
    replicates: Mapping[int, Piece]
    """By number, counted from 0."""
    cell: Piece | None
    num_outdated: int
    """Pieces that are of another encoder, protocol or data and must be done again."""


def find_completed(results: Iterable[Piece], task: str, identity: Mapping[str, Any]) -> CompletedPieces:
    """The pieces of a task among a run's results; the newest of equals."""
    own = [result for result in results if result.get("task") == task]
    valid = [result for result in own if result.get("identity") == identity]
    by_type: dict[str, list[Piece]] = {"rate": [], "search": [], "replicate": [], "cell": []}
    for result in valid:
        by_type.setdefault(str(result.get("type")), []).append(result)
    return CompletedPieces(
        rates={float(result["learning_rate"]): result for result in by_type["rate"]},
        search=by_type["search"][-1] if by_type["search"] else None,
        replicates={int(result["replicate"]): result for result in by_type["replicate"]},
        cell=by_type["cell"][-1] if by_type["cell"] else None,
        num_outdated=len(own) - len(valid),
    )
