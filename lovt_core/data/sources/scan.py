"""From a data set to the source that reads its download."""

from pathlib import Path
from typing import assert_never

from lovt_core.data.catalog import DataSet
from lovt_core.data.sources import covid_chestxray, covid_rural
from lovt_core.data.sources.download import Download
from lovt_core.errors import DataError


def scan_download(data_set: DataSet, root: Path) -> Download:
    """Find the samples in the download at `root`; raises DataError for a wrong folder or a damaged table."""
    try:
        match data_set.layout:
            case "covid-chestxray":
                return covid_chestxray.scan(root, data_set.documented_layout)
            case "covid-rural":
                return covid_rural.scan(root, data_set.documented_layout)
            case _:
                assert_never(data_set.layout)
    except OSError as error:
        raise DataError(f"{error.filename or root}: cannot be read: {error.strerror}") from error
