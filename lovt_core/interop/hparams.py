"""`hparams.yaml`, which Lightning's loggers write beside their metrics."""

from pathlib import Path
from typing import Any

from lovt_core.config.yaml_text import plain, read_mapping
from lovt_core.errors import ConfigError

FILE_NAME = "hparams.yaml"


def read_hparams_file(folder: Path) -> dict[str, Any]:
    """The hyperparameters beside a run's metrics; empty where there are none that plain YAML can read."""
    path = folder / FILE_NAME
    if not path.is_file():
        return {}
    try:
        values: dict[str, Any] = plain(read_mapping(path))
    except ConfigError:
        return {}
    return values
