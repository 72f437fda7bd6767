"""What a data set is: where to get it, how its download is laid out, how the protocol prepares and splits it."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["paired", "localized"]
Grey = Literal["luma", "channel-mean"]


@dataclass(frozen=True)
class DataSet:
    """One data set. Each file in `sources/` holds one of these beside the code that reads its download."""

    name: str
    title: str
    kind: Kind
    """`paired`: images with reports, of any shape. `localized`: square images with masks."""
    summary: str
    licence: str
    citation: str
    url: str
    """Download page."""
    approximate_size: str
    documented_layout: tuple[str, ...]
    """What the folder given as `--source` holds, one line each."""
    default_size: int
    """Side of the square (localized) or longest short side (paired), in pixels."""
    split_fractions: tuple[float, float, float]
    """Training, validation, test; a seeded split by patient comes close to these."""
    classes: tuple[str, ...] = ()
    """What masks and boxes show, in the order of the masks; empty where there are none."""
    grey: Grey = "luma"
    equalised: bool = False
    """Global histogram equalisation at the original resolution."""
    jpeg_round_trip: bool = False
    """Stored once more as JPEG at Pillow's default quality before resizing, as the published images were."""
    credentialed: bool = False
    """Under a data use agreement: images and report text stay in the prepared folder (docs/data.md)."""
