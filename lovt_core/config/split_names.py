"""How a split of a data set is named, in experiment files, on the command line and in results (docs/data.md)."""

import re
from typing import Annotated

from pydantic import AfterValidator

AUTO, PUBLISHED, DOWNLOAD = "auto", "published", "download"
HINT = "write auto, published, download, lists:HASH, or patient:SEED with a whole number, for example patient:0"

_NAMES = re.compile(rf"{AUTO}|{PUBLISHED}|{DOWNLOAD}|patient:\d+|lists:[0-9a-f]{{8}}")


def is_split_name(text: str) -> bool:
    """Whether a split can have this name, fitting data or not."""
    return _NAMES.fullmatch(text) is not None


def _check(text: str) -> str:
    if not is_split_name(text):
        raise ValueError(f"unknown split '{text}': {HINT}")
    return text


SplitName = Annotated[str, AfterValidator(_check)]
"""`auto`: the published one where ids match, else the one of the download, else `patient:0`."""
