"""The data sets as data: what each is, where to get it, and how the protocol prepares and splits it (PROTOCOL A.2).

Adding a data set: an entry here, one file in `sources/`, one layout and one `match` arm in `sources/scan.py`.
"""

from dataclasses import dataclass
from typing import Literal

from lovt_core.errors import DataError

Kind = Literal["paired", "localized"]
Layout = Literal["covid-chestxray", "covid-rural"]
Grey = Literal["luma", "channel-mean"]


@dataclass(frozen=True)
class DataSet:
    """One data set."""

    name: str
    title: str
    kind: Kind
    """`paired`: images with reports. `localized`: images with masks."""
    layout: Layout
    """Which source reads the download."""
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
    grey: Grey = "luma"
    equalised: bool = False
    """Global histogram equalisation at the original resolution."""
    jpeg_round_trip: bool = False
    """Stored once more as JPEG at Pillow's default quality before resizing, as the published images were."""
    published_ids_sha256: str | None = None
    """sha256 of the sorted, newline-joined ids of the published split lists; None where no list was published."""


DATA_SETS: tuple[DataSet, ...] = (
    DataSet(
        name="covid-chestxray",
        title="COVID-19 image data collection",
        kind="paired",
        layout="covid-chestxray",
        summary="Open paired set: chest X-rays with free-text clinical notes, collected from publications.",
        licence="per image, in the column `license` of metadata.csv; research use",
        citation="Cohen, Morrison, Dao, Roth, Duong, Ghassemi: COVID-19 Image Data Collection: Prospective Predictions "
        "Are the Future. MELBA 2020:002 (arXiv:2006.11988)",
        url="https://github.com/ieee8023/covid-chestxray-dataset",
        approximate_size="about 950 rows with CT slices, 0.5 GB",
        documented_layout=(
            "metadata.csv    columns Patientid, filename, view, modality, clinical notes (newer: clinical_notes)",
            "images/         the files named in the column `filename`",
        ),
        default_size=320,
        split_fractions=(0.8, 0.2, 0.0),
    ),
    DataSet(
        name="covid-rural",
        title="COVID Rural (COVID-19-AR with lesion masks)",
        kind="localized",
        layout="covid-rural",
        summary="221 X-rays of rural COVID-19 patients with lesion masks: tasks 10 to 12 of the protocol.",
        licence="images CC BY 4.0 (TCIA COVID-19-AR), masks see their repository",
        citation="Desai, Baghal, Wongsurawat et al.: Chest imaging representing a COVID-19 positive rural U.S. "
        "population. Scientific Data 7, 414 (2020); Tang, Sun, Li: masks in "
        "GeneralBlockchain/covid-19-chest-xray-segmentations-dataset",
        url="https://github.com/GeneralBlockchain/covid-19-chest-xray-segmentations-dataset",
        approximate_size="221 images, about 0.5 GB",
        documented_layout=(
            "jpgs/           COVID-19-AR-<patient>_<date>-XR.jpg, colour",
            "pngs_masks/     <same stem>.png, values 0 and 1, the size of the image",
        ),
        default_size=224,
        split_fractions=(0.6, 0.2, 0.2),
        classes=("lesion",),
        grey="channel-mean",
        equalised=True,
        jpeg_round_trip=True,
        published_ids_sha256="eea4b22bb5327783ef4381d6c167133f574707ca8274d9947d863bb42c357d89",
    ),
)


def find_data_set(name: str) -> DataSet:
    """The data set of that name; raises DataError naming the known ones."""
    for data_set in DATA_SETS:
        if data_set.name == name:
            return data_set
    known = ", ".join(data_set.name for data_set in DATA_SETS)
    raise DataError(f"unknown data set '{name}': known data sets are {known}")
