"""The common base of every configuration section: frozen values, unknown keys refused."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from lovt_core.errors import InputError


class Section(BaseModel):
    """One section of an experiment file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


def _is_device(text: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", text):
        raise ValueError(f"'{text}' is no device: write auto, cpu or cuda")
    return text


Device = Annotated[str, AfterValidator(_is_device)]
"""`auto`: the GPU that the scheduler hands to the run, else the CPU; `cuda:1`: that GPU, as `nvidia-smi` counts."""


def _fits_in_a_path(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        raise ValueError(
            f"'{name}' is not a name: give small letters, digits, '.', '_' and '-', at most 64, "
            "the first a letter or a digit"
        )
    return name


Name = Annotated[str, AfterValidator(_fits_in_a_path)]


def check_name(name: str, what: str) -> None:
    """Raise InputError where `name` is no name; `what` it is the name of begins the sentence."""
    try:
        _fits_in_a_path(name)
    except ValueError as error:
        raise InputError(f"{what}: {error}") from error


Seed = Annotated[int, Field(ge=0, lt=2**31)]
