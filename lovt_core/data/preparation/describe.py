"""What a new version says about itself, and from which files it was made."""

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import PIL

from lovt_core import __version__
from lovt_core.data.annotations.shapes import MaskFile
from lovt_core.data.data_set import DataSet
from lovt_core.data.preparation.decoding import RECIPE, Recipe
from lovt_core.data.preparation.version_writer import VersionWriter
from lovt_core.data.prepared_meta import FORMAT, FlowStep, PreparedMeta, Problem
from lovt_core.data.sources.download import Download, Item, printable
from lovt_core.data.split_lists import compare_ids, load_published
from lovt_core.errors import DataError

SYNTHETIC_MARKER = "SYNTHETIC.json"
"""File that generators leave at the root of the downloads they write."""


@dataclass(frozen=True)
class Origin:
    """What a version is made from."""

    data_set: DataSet
    size: int
    download: Download

    @property
    def classes(self) -> tuple[str, ...]:
        """What masks and boxes show."""
        return self.download.classes or self.data_set.classes

    @property
    def recipe(self) -> Recipe:
        """How each image is decoded."""
        return Recipe(self.data_set, self.download.root, self.size, self.classes)

    @cached_property
    def is_synthetic(self) -> bool:
        """Whether the download carries a generator's marker."""
        return (self.download.root / SYNTHETIC_MARKER).exists()

    @cached_property
    def stamp(self) -> str:
        """sha256 (hex) over names, sizes and times of all files, what the source made of them, and the settings.

        Computed once, before anything is decoded: a file that changes meanwhile makes another stamp next time.
        """
        digest = self._settings.copy()
        digest.update(json.dumps([problem.model_dump() for problem in self.download.problems]).encode())
        for table in self.download.tables:
            digest.update(_stamp_file(self.download.root, table))
        for item in self.download.items:
            digest.update(_encode((item.id, item.patient, item.sentences, item.findings, item.split)))
            digest.update(self.item_key(item).encode())
        return digest.hexdigest()

    def item_key(self, item: Item) -> str:
        """sha256 (hex) over everything that an item's decoded images depend on; reports are not among it."""
        digest = self._settings.copy()
        digest.update(_encode(item.annotations))
        for file in item.images:
            digest.update(_stamp_file(self.download.root, file))
        for each in item.annotations:
            if isinstance(each.shape, MaskFile):
                digest.update(_stamp_file(self.download.root, each.shape.file))
        return digest.hexdigest()

    @cached_property
    def _settings(self) -> "hashlib._Hash":
        settings = [FORMAT, RECIPE, PIL.__version__, self.size, astuple(self.data_set), self.classes, self.is_synthetic]
        return hashlib.sha256(json.dumps(settings).encode())


def is_genuine(origin: Origin, ids: Sequence[str]) -> bool:
    """Whether this may pass for the real data set: no generator's marker and, where ids were published, just those."""
    if origin.is_synthetic:
        return False
    published = load_published(origin.data_set.name)
    return published is None or compare_ids(published, tuple(ids)).is_exact


def describe_version(
    origin: Origin, writer: VersionWriter, fingerprint: str, unreadable: Sequence[Problem]
) -> PreparedMeta:
    """Meta of what `writer` has written; `unreadable` is what decoding left out of the download's items."""
    data_set, download = origin.data_set, origin.download
    lost = len(download.items) - writer.num_samples
    last_step = [FlowStep(what="image or annotation unusable", dropped=lost, kept=writer.num_samples)] if lost else []
    return PreparedMeta(
        format=FORMAT,
        name=data_set.name,
        kind=data_set.kind,
        size=origin.size,
        mode="square" if data_set.kind == "localized" else "short-side",
        equalised=data_set.equalised,
        classes=origin.classes,
        fingerprint=fingerprint,
        synthetic=origin.is_synthetic,
        genuine=is_genuine(origin, writer.ids),
        source=printable(str(download.root)),
        source_stamp=origin.stamp,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        software={
            "lovt-tui": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "pillow": PIL.__version__,
        },
        num_samples=writer.num_samples,
        num_images=writer.num_images,
        num_patients=len(writer.patients),
        num_sentences=writer.num_sentences,
        num_boxes=writer.num_boxes,
        num_kept=writer.num_kept,
        flow=(*download.flow, *last_step),
        skipped=(*download.problems, *unreadable),
    )


def _encode(values: object) -> bytes:
    """Frozen values as bytes, the names of their types included: a box is no ellipse."""
    return f"{values!r}\n".encode("utf-8", "backslashreplace")


def _stamp_file(root: Path, file: str) -> bytes:
    try:
        state = (root / file).stat()
    except OSError as error:
        raise DataError(f"{root / file}: cannot be read: {error.strerror}") from error
    return f"{file}\0{state.st_size}\0{state.st_mtime_ns}\n".encode()
