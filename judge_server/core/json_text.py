"""JSON as its standard has it: Python's own reader lets NaN and Infinity pass, and trips over deep nesting."""

import json
from typing import Any, NoReturn


def parse_json(text: bytes | str) -> Any:
    """The value that a JSON text in UTF-8 holds. Raises ValueError that names the place and the fault."""
    try:
        return json.loads(text.decode("utf-8") if isinstance(text, bytes) else text, parse_constant=_refuse)
    except UnicodeDecodeError as fault:
        raise ValueError(f"not valid UTF-8 at byte {fault.start} ({fault.reason}): send the text in UTF-8") from None
    except json.JSONDecodeError as fault:
        raise ValueError(f"not JSON: {fault.msg} at line {fault.lineno} column {fault.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply: flatten the object") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON: write a number, or null")
