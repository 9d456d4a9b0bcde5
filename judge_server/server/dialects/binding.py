"""A trainer's sample as a submission: whose rubric it is judged under, and with which reference and facts.

The sample's own envelope goes before the row of the prompt table, and that before the URL. The table is asked where the
URL names no rubric.
"""

from typing import Any

from judge_server.core.errors import JudgeServerError
from judge_server.server.dialects.asking import Asking
from judge_server.server.dialects.chat_markup import Exchange
from judge_server.server.dialects.envelope import EMPTY, Envelope
from judge_server.server.dialects.fault import UnboundRubric

Sample = dict[str, Any] | JudgeServerError


def bound(asking: Asking, exchange: Exchange, envelope: Envelope) -> dict[str, Any]:
    """The submission's data. Raises UnboundRubric where neither URL nor envelope nor table names a rubric."""
    row = asking.table.find(exchange) if asking.table and asking.rubric is None else None
    row = row or EMPTY
    rubric = _first(envelope.rubric, row.rubric, asking.rubric)
    if rubric is None:
        raise UnboundRubric(
            "The URL leaves the rubric to the sample, and neither its label nor the prompt table names one.",
            remedy='Write it into the label as {"rubric": …}, or add the prompt to the file of prompt_table.',
        )
    item = {
        "rubric": rubric,
        "prompt": _first(envelope.prompt, exchange.prompt),
        "response": exchange.response,
        "reference": _first(envelope.reference, row.reference),
        "facts": _first(envelope.facts, row.facts),
        "judge": _first(envelope.judge, row.judge, asking.judge),
    }
    return {name: value for name, value in item.items() if value is not None}


def _first(*given: Any) -> Any:
    return next((value for value in given if value is not None), None)
