"""A few test images of a task with what a head says of them, kept to be looked at.

A file is one compressed `.npz`: `header`, the bytes of a JSON object (format, task, data, data_fingerprint, image_size,
replicate, and for each case rank, sample, image_row, score), and for case i `i/mask`, `i/boxes`, `i/confidence`,
`i/classes` as far as they are there. Nothing in it is pickled.
"""

import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from lovt_core.errors import DataError
from lovt_core.files import write_bytes_atomic

Rank = Literal["best", "median", "worst"]

FORMAT: Final = 1
_ARRAYS: Final = ("mask", "boxes", "confidence", "classes")


@dataclass(frozen=True, eq=False)
class PredictedCase:
    """One test image with what a head says of it: a mask, or boxes with confidences and classes."""

    rank: Rank
    """Place among the task's test images that hold something to be found."""
    sample: str
    image_row: int
    """Row of the prepared image."""
    score: float
    """Of this image alone, a fraction; only ranks."""
    mask: npt.NDArray[np.bool_] | None = None
    """(classes, height, width)."""
    boxes: npt.NDArray[np.float32] | None = None
    """(n, 4) left, top, width, height in pixels of the prepared image, not clipped to it."""
    confidence: npt.NDArray[np.float32] | None = None
    """(n,)."""
    classes: npt.NDArray[np.int64] | None = None
    """(n,)."""

    def __post_init__(self) -> None:
        if self.mask is not None and (self.mask.ndim != 3 or self.mask.dtype != bool):
            raise ValueError(
                f"a mask must be (classes, height, width) of bool, not {self.mask.shape} {self.mask.dtype}"
            )
        if (self.mask is None) == (self.boxes is None):
            raise ValueError("a case has either a mask or boxes")
        if self.boxes is not None:
            columns = [None if each is None else each.shape for each in (self.confidence, self.classes)]
            if self.boxes.shape[1:] != (4,) or columns != [self.boxes.shape[:1]] * 2:
                raise ValueError(f"boxes {self.boxes.shape} need the shape (n, 4), as many confidences and classes")


@dataclass(frozen=True, eq=False)
class Predictions:
    """What is kept of one task of a run."""

    task: str
    data: str
    """Name of the data set."""
    data_fingerprint: str
    """Of the prepared version."""
    image_size: int
    """Pixels a side."""
    replicate: int
    """Which of the task's heads, from 0."""
    cases: tuple[PredictedCase, ...]
    """Best first."""


def save_predictions(path: Path, predictions: Predictions) -> None:
    """Replace `path` (`<run>/artifacts/predictions/<task>.npz`), all or nothing; raises LovtError on a full disk."""
    header = {
        "format": FORMAT,
        "task": predictions.task,
        "data": predictions.data,
        "data_fingerprint": predictions.data_fingerprint,
        "image_size": predictions.image_size,
        "replicate": predictions.replicate,
        "cases": [
            {"rank": case.rank, "sample": case.sample, "image_row": case.image_row, "score": case.score}
            for case in predictions.cases
        ],
    }
    arrays = {
        f"{number}/{name}": getattr(case, name)
        for number, case in enumerate(predictions.cases)
        for name in _ARRAYS
        if getattr(case, name) is not None
    }
    content = io.BytesIO()
    np.savez_compressed(content, header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8), **arrays)
    write_bytes_atomic(path, content.getvalue())


def load_predictions(path: Path) -> Predictions:
    """Read a file of `save_predictions`; raises DataError where it is absent, damaged or of another format."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return _read(arrays)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else error
        raise DataError(f"cannot read the predictions {path} ({reason}): evaluate the encoder again") from error


def _read(arrays: Mapping[str, npt.NDArray[Any]]) -> Predictions:
    header = json.loads(arrays["header"].tobytes())
    if header["format"] != FORMAT:
        raise ValueError(f"format {header['format']} instead of {FORMAT}")
    cases = []
    for number, fields in enumerate(header["cases"]):
        if fields["rank"] not in get_args(Rank):
            raise ValueError(f"rank {fields['rank']!r} is none of {', '.join(get_args(Rank))}")
        cases.append(
            PredictedCase(
                rank=fields["rank"],
                sample=str(fields["sample"]),
                image_row=int(fields["image_row"]),
                score=float(fields["score"]),
                **{name: arrays.get(f"{number}/{name}") for name in _ARRAYS},
            )
        )
    return Predictions(
        task=str(header["task"]),
        data=str(header["data"]),
        data_fingerprint=str(header["data_fingerprint"]),
        image_size=int(header["image_size"]),
        replicate=int(header["replicate"]),
        cases=tuple(cases),
    )


def pick_cases(scores: Sequence[float], eligible: Sequence[bool], count: int = 1) -> list[tuple[Rank, int]]:
    """`count` best, median and worst of the eligible positions, all distinct, in this order; worst is worst first.

    Where there are fewer, the median ones go first, then the worst ones. Of equal scores the earlier position is
    better; a score that is not a number is the worst.
    """
    order = [position for position, is_eligible in enumerate(eligible) if is_eligible]
    order.sort(key=lambda position: -math.inf if math.isnan(scores[position]) else scores[position], reverse=True)
    best, rest = order[:count], order[count:]
    worst, middle = rest[::-1][:count], rest[: max(len(rest) - count, 0)]
    start = max(len(middle) - count, 0) // 2
    ranked: list[tuple[Rank, Sequence[int]]] = [
        ("best", best),
        ("median", middle[start : start + count]),
        ("worst", worst),
    ]
    return [(rank, position) for rank, positions in ranked for position in positions]
