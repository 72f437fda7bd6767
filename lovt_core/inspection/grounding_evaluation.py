"""Grounding measured on a prepared data set: one phrase for each class, each image on which that class is marked."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lovt_core.config.inspection import GroundingRequest, Part
from lovt_core.data.heat_maps import enlarge_to_image
from lovt_core.data.prepared import PreparedData, open_prepared
from lovt_core.data.splits import Split, build_split
from lovt_core.errors import DataError, InputError
from lovt_core.inspection.grounding import PhraseComparison, encode_phrase
from lovt_core.inspection.grounding_scores import GroundingScore, Marked, fill_boxes, score_map, summarise
from lovt_core.inspection.phrases import usual_phrases
from lovt_core.inspection.trained_method import open_trained
from lovt_core.values import Progress, Result, Value, Workplace

_BATCH = 16


@dataclass(frozen=True)
class MarkedImage:
    """An image with the classes that are marked on it."""

    row: int
    """Of the prepared image."""
    labels: tuple[int, ...]


def evaluate_grounding(asked: GroundingRequest, place: Workplace) -> Iterator[Value]:
    """One Result of type `grounding` after all marked images of the part.

    Raises DataError for data that is not prepared, is not marked or has nothing marked in the part, InputError for a
    phrase of an unknown class or one that cannot be read, and what `open_trained` does.
    """
    prepared = open_prepared(place.prepared_root, asked.data)
    if not prepared.num_classes:
        raise DataError(f"{asked.data} has reports and no boxes: grounding is measured on a localized data set")
    phrases = _choose_phrases(asked, prepared.meta.classes)
    split = build_split(prepared, asked.split)
    images = find_marked(prepared, _rows(split, asked.part), {label for label, _ in phrases})
    if not images:
        raise DataError(f"nothing is marked on the {asked.part} images of {asked.data} with split {split.spec}")
    method = open_trained(asked, place)
    comparison = PhraseComparison(method, [encode_phrase(method, text) for _, text in phrases], asked.by)
    scores: dict[int, list[GroundingScore]] = defaultdict(list)
    for start in range(0, len(images), _BATCH):
        yield Progress(start, len(images), "image", note="grounding")
        batch = images[start : start + _BATCH]
        found = comparison.compare([prepared.image(image.row) for image in batch])
        for image, values in zip(batch, found.maps(), strict=True):
            for number, (label, _) in enumerate(phrases):
                if label in image.labels:
                    inside = mark(prepared, image.row, label)
                    scores[number].append(score_map(enlarge_to_image(values[number], *inside.shape), inside))
    yield Result(
        {
            "type": "grounding",
            "data": prepared.name,
            "data_fingerprint": prepared.fingerprint,
            "split": split.spec,
            "part": asked.part,
            "num_images": len(images),
            "by": comparison.by,
            "projections": comparison.projections,
            "phrases": [
                _describe(prepared.meta.classes[label], text, scores[number])
                for number, (label, text) in enumerate(phrases)
            ],
            "all": asdict(summarise([score for each in scores.values() for score in each])),
        }
    )


def find_marked(prepared: PreparedData, samples: Sequence[int], labels: set[int]) -> tuple[MarkedImage, ...]:
    """Images of the samples on which one of the classes is marked, but does not cover everything."""
    found = []
    for row in (row for sample in samples for row in prepared.samples[sample].images):
        present = [label for label in sorted(labels) if _is_partly(mark(prepared, row, label))]
        if present:
            found.append(MarkedImage(row, tuple(present)))
    return tuple(found)


def mark(prepared: PreparedData, row: int, label: int) -> Marked:
    """(height, width) pixels inside the boxes of a class; inside its mask where the image has no boxes of it."""
    boxes, labels = prepared.boxes(row)
    if (labels == label).any():
        return fill_boxes(boxes[labels == label], prepared.image(row).shape)
    mask: Marked = prepared.mask(row)[label].astype(bool)
    return mask


def _is_partly(inside: Marked) -> bool:
    return bool(inside.any()) and not bool(inside.all())


def _rows(split: Split, part: Part) -> tuple[int, ...]:
    return {"training": split.train, "validation": split.validation, "test": split.test}[part]


def _choose_phrases(asked: GroundingRequest, classes: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Class numbers and phrases; raises InputError for a class that the data does not have."""
    for name, _ in asked.phrases:
        if name not in classes:
            raise InputError(f"{asked.data} has no class '{name}': its classes are {', '.join(classes)}")
    pairs = asked.phrases or usual_phrases(asked.data, classes)
    return tuple((classes.index(name), text) for name, text in pairs)


def _describe(name: str, text: str, scores: Sequence[GroundingScore]) -> dict[str, Any]:
    return {"class": name, "phrase": text, **({"maps": 0} if not scores else asdict(summarise(scores)))}
