"""The base class of all values in core, and the number types of authored files."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict

# YAML's "5" and true are mistakes where a number is wanted, and "false" is one where true or false is wanted
Number = Annotated[float, Strict()]
BoundedNumber = Annotated[Number, Field(ge=-1e9, le=1e9)]
Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]


class Frozen(BaseModel):
    """An immutable value that refuses unknown fields and numbers that are not finite."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True, hide_input_in_errors=True
    )
