"""What is asked of a trained run when somebody looks at what it has learnt: the requests of the worker's jobs."""

from typing import Annotated, Literal

from pydantic import Field

from lovt_core.config.base import Section
from lovt_core.config.split_names import SplitName

Part = Literal["training", "validation", "test"]
PlotMethod = Literal["pca", "tsne"]
Comparison = Literal["attention", "cosine"]
"""Of a phrase with regions: score of the cross-attention, or cosine of the projections."""
Count = Annotated[int, Field(ge=1)]


class TrainedRun(Section):
    """Whose checkpoint is looked into."""

    run: str
    """Id of a run of LoVT."""
    checkpoint: Literal["best", "last"] = "best"


class RegionsRequest(TrainedRun):
    """Attention over regions, for the sentences of some reports that the run was trained on or judged by."""

    part: Part = "validation"
    samples: Count = 4


class PhraseRequest(TrainedRun):
    """Heat map of a phrase on an image file."""

    image: str
    """Path of the file."""
    phrase: str
    by: Comparison = "attention"


class GroundingRequest(TrainedRun):
    """How well heat maps find what is marked on the images of a prepared data set."""

    data: str
    split: SplitName = "auto"
    part: Part = "test"
    phrases: tuple[tuple[str, str], ...] = ()
    """Pairs of class and phrase in place of the usual ones; empty: the usual ones of every class."""
    by: Comparison = "attention"


class EmbeddingRequest(TrainedRun):
    """Statistics and a plot of the embeddings of one part of the run's own data."""

    part: Part | None = None
    """By default test, or validation where the split has no test part."""
    samples: Count | None = None
    """At most so many of them, evenly spread; None: all."""
    plot: PlotMethod | None = None
