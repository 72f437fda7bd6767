"""Going through the samples of a prepared version, one after the other, in an order drawn at random."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lovt_core.errors import DataError
from lovt_tui.datasets.samples import Drawing, box_texts, caption, draw_sample

if TYPE_CHECKING:
    from lovt_core.data.prepared import Sample

ALL = "all"
"""Every part of the split, and what is in none."""
FINDING_WORDS = {1: "present", 0: "absent", -1: "uncertain"}


@dataclass(frozen=True)
class Place:
    """Where somebody is: the place in the order of a part, and which image of the sample there."""

    part: str = ALL
    number: int = 0
    image: int = 0


@dataclass(frozen=True)
class SampleView:
    """A sample as it is shown."""

    place: Place
    count: int
    """Samples of the part."""
    id: str
    caption: str
    part: str
    """Where the split has it; empty: nowhere."""
    num_images: int
    drawing: Drawing
    facts: tuple[tuple[str, str], ...]
    """Label and text: patient, findings, boxes, the report sentence by sentence."""


class SampleBook:
    """The samples of one version. Opening it reads all of them; turning a page reads one image."""

    def __init__(self, folder: Path, spec: str | None = None, seed: int = 0) -> None:
        """Open a version with a split (None: its own); raises DataError where it is damaged or a split does not fit."""
        import numpy as np

        from lovt_core.data.prepared import PreparedData
        from lovt_core.data.splits import NAMES
        from lovt_tui.datasets.overlap import choose_split

        self._data = PreparedData(folder)
        self.split = choose_split(self._data, spec)
        order = np.random.default_rng(seed).permutation(len(self._data.samples)).tolist()
        self._part_of = {row: name for name, rows in zip(NAMES, self.split.parts, strict=True) for row in rows}
        self._orders: dict[str, list[int]] = {ALL: order}
        for name in NAMES:
            rows = [row for row in order if self._part_of.get(row) == name]
            if rows:
                self._orders[name] = rows
        self._rows = {sample.id: row for row, sample in enumerate(self._data.samples)}

    @property
    def name(self) -> str:
        """Of the data set, with the size of its images."""
        return f"{self._data.name} at {self._data.meta.size} px"

    @property
    def has_marks(self) -> bool:
        """Whether there are masks or boxes."""
        return bool(self._data.num_classes)

    @property
    def parts(self) -> dict[str, int]:
        """Number of samples of each part that is not empty."""
        return {name: len(rows) for name, rows in self._orders.items()}

    def view(self, place: Place) -> SampleView:
        """The sample at a place; beyond the end it goes on at the beginning."""
        rows = self._orders[place.part]
        place = Place(place.part, place.number % len(rows), place.image)
        row = rows[place.number]
        sample = self._data.samples[row]
        place = Place(place.part, place.number, place.image % len(sample.images))
        image = sample.images[place.image]
        part = self._part_of.get(row, "")
        drawing = draw_sample(self._data, image)
        facts = self._describe(sample, image)
        return SampleView(
            place, len(rows), sample.id, caption(self._data, sample), part, len(sample.images), drawing, facts
        )

    def find(self, text: str, part: str = ALL) -> Place:
        """The sample of that id in a part, else the first whose id begins with or has the text.

        Raises DataError without one; it says so where another part has it.
        """
        found = self._find_rows(text)
        if not found:
            raise DataError(f"{self._data.name} has no sample '{text}'; its first is {self._data.samples[0].id}")
        row = next((row for row in found if part == ALL or self._part_of.get(row) == part), None)
        if row is None:
            id_, other = self._data.samples[found[0]].id, self._part_of.get(found[0])
            where = f"in {other}" if other else "in no part of the split"
            raise DataError(f"{part} has no sample '{text}': {id_} is {where}; choose {other or ALL} to see it")
        return Place(part, self._orders[part].index(row))

    def _find_rows(self, text: str) -> list[int]:
        """The row of that id, else rows whose ids have the text, those that begin with it first."""
        if (row := self._rows.get(text)) is not None:
            return [row]
        wanted = text.lower()
        found = [row for id_, row in self._rows.items() if wanted in id_.lower()]
        return sorted(found, key=lambda row: (not self._data.samples[row].id.lower().startswith(wanted), row))

    def find_marked(self, place: Place, direction: int) -> Place:
        """The next (1) or previous (-1) sample of the part with something marked; the same where there is no other."""
        rows = self._orders[place.part]
        for step in range(1, len(rows) + 1):
            number = (place.number + direction * step) % len(rows)
            if any(self._data.mask(image).any() for image in self._data.samples[rows[number]].images):
                return Place(place.part, number)
        return place

    def save(self, view: SampleView, folder: Path) -> str:
        """Write the images of a sample as PNG (`lovt data show --save`); says where."""
        from lovt_tui.datasets.saving import save_samples

        return save_samples(self._data, [self._data.samples[self._rows[view.id]]], folder)

    def _describe(self, sample: "Sample", image: int) -> tuple[tuple[str, str], ...]:
        facts = [("patient", sample.patient), *_number("box", box_texts(self._data, image))]
        facts += [("finding", f"{name}: {FINDING_WORDS.get(value, str(value))}") for name, value in sample.findings]
        if self.has_marks and not box_texts(self._data, image):
            shares = self._data.mask(image).mean(axis=(1, 2)).tolist()
            facts += [
                ("mask", f"{name}: {100 * share:.1f} % of the image")
                for name, share in zip(self._data.meta.classes, shares, strict=True)
                if share
            ] or [("mask", "nothing is marked")]
        return (*facts, *_number("report", sample.sentences))


def _number(label: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    """The label beside the first text only."""
    return [("" if number else label, text) for number, text in enumerate(texts)]
