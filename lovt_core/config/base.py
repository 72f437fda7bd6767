"""The common base of every configuration section: frozen values, unknown keys refused."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Section(BaseModel):
    """One section of an experiment file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


def _is_device(text: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", text):
        raise ValueError(f"'{text}' is no device: write auto, cpu or cuda")
    return text


def _is_split(text: str) -> str:
    if not re.fullmatch(r"auto|published|download|lists:[0-9a-f]{8}|patient:\d+", text):
        raise ValueError(
            f"unknown split '{text}': write auto, published, download, lists:HASH, or patient:SEED with a whole "
            "number, for example patient:0"
        )
    return text


Device = Annotated[str, AfterValidator(_is_device)]
"""`auto`: the GPU that the scheduler hands to the run, else the CPU."""
SplitName = Annotated[str, AfterValidator(_is_split)]
"""`auto`: the published one where ids match, else the one of the download, else `patient:0` (docs/data.md)."""
