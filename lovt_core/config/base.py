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


Device = Annotated[str, AfterValidator(_is_device)]
"""`auto`: the GPU that the scheduler hands to the run, else the CPU."""
