"""Bodies that trainers write."""

from pydantic import BaseModel, ConfigDict


class Foreign(BaseModel):
    """A trainer's own format: fields that it adds from one release to the next are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, hide_input_in_errors=True)
