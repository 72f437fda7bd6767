"""What a source finds in a download: items to decode, what was dropped on the way, and what cannot be used."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lovt_core.data.annotations.shapes import Annotation
from lovt_core.data.data_set import DataSet
from lovt_core.data.prepared_meta import FlowStep, Problem, SplitPart
from lovt_core.errors import DataError


@dataclass(frozen=True, slots=True)
class Item:
    """One sample before decoding. Files are relative to the download."""

    id: str
    patient: str
    images: tuple[str, ...]
    """One; several for a study, which then has no annotations."""
    sentences: tuple[str, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    """None on an image of a localized set: nothing is to be found there."""
    findings: tuple[tuple[str, int], ...] = ()
    """Labels of the whole image: name, and 1 present, 0 absent, -1 uncertain; what is not mentioned is left out."""
    split: SplitPart | None = None
    """Where the download itself puts this sample."""


@dataclass(frozen=True)
class Labels:
    """What the tables of a download say, whether or not its images are there (`lovt data labels`)."""

    counts: tuple[tuple[str, int], ...]
    """What was counted, for example ("patients", 26684), ("boxes", 9555)."""
    ids: tuple[str, ...]
    """Ids of all images or studies that the tables name, each once, to compare with split lists."""
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Download:
    """A scanned download."""

    root: Path
    items: tuple[Item, ...]
    tables: tuple[str, ...]
    """Tables that were read, relative to the root."""
    flow: tuple[FlowStep, ...]
    problems: tuple[Problem, ...]
    classes: tuple[str, ...] = ()
    """What its annotations show, where the data set itself leaves that open."""


@dataclass
class Flow:
    """Counts what is dropped, step by step."""

    kept: int
    steps: list[FlowStep] = field(default_factory=list)

    def drop(self, count: int, what: str) -> None:
        """Note that `count` were dropped because of `what`."""
        self.kept -= count
        self.steps.append(FlowStep(what=what, dropped=count, kept=self.kept))


def require_layout(root: Path, expected: Sequence[str], data_set: DataSet) -> None:
    """Raise DataError, saying what was expected and what was found, unless `root` holds all `expected` names."""
    if not root.exists():
        raise DataError(f"{root} does not exist: give the folder of the download as --source")
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: give the folder of the download as --source")
    found = sorted(path.name for path in root.iterdir() if not path.name.startswith("."))
    missing = [name for name in expected if not (root / name).exists()]
    if not missing:
        return
    nested = [name for name in found if all((root / name / wanted).exists() for wanted in expected)]
    hint = f"; did you mean {root / nested[0]}?" if nested else ""
    shown = ", ".join(found[:8]) + (", ..." if len(found) > 8 else "") if found else "nothing"
    layout = "".join(f"\n  {line}" for line in data_set.documented_layout)
    raise DataError(f"{root}: no {' and no '.join(missing)} there, but {shown}{hint}\nexpected layout:{layout}")


def printable(name: str) -> str:
    """The name with bytes that are no UTF-8 text written as `\\udcXX`, so that it can be shown and stored."""
    return name.encode("utf-8", "backslashreplace").decode()


def find_repeated_ids(items: Sequence[Item]) -> tuple[tuple[Item, ...], tuple[Problem, ...]]:
    """Items whose id occurs for the first time, and a problem for each of the others."""
    counts = Counter(item.id for item in items)
    first = {item.id: item for item in reversed(items)}
    repeated = [
        Problem(where=item.images[0], what=f"the id {item.id} occurs {counts[item.id]} times: name it once")
        for item in items
        if first[item.id] is not item
    ]
    return tuple(item for item in items if first[item.id] is item), tuple(repeated)
