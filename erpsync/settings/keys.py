"""The base of all models of configuration files."""

from pydantic import BaseModel, ConfigDict


class Keys(BaseModel):
    """Keys of a mapping in a file: unknown ones are errors, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, hide_input_in_errors=True)
