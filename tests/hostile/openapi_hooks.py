"""Loaded by schemathesis: half of the sound requests name what there is, so that they come further than to a 404."""

import json
import os
from typing import Any

import schemathesis

_KNOWN: dict[str, Any] = json.loads(os.environ["JUDGE_TESTS_KNOWN"])


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if case.meta is None or not case.meta.generation.mode.is_positive or sum(case.id.encode()) % 2:
        return
    known = _KNOWN | _KNOWN.get(case.operation.path, {})
    for values in (case.path_parameters, case.query, case.body):
        if isinstance(values, dict):
            values.update({name: known[name] for name in values.keys() & known.keys()})
