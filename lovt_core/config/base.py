"""The common base of every configuration section: frozen values, unknown keys refused."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One section of an experiment file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)
