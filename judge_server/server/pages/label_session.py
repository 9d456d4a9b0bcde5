"""Who labels, under which rubric and into which set: what every address and form of labelling names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from pydantic import TypeAdapter, ValidationError

from judge_server.core.audit_queue import SetName
from judge_server.core.caller import ANYONE, current_caller
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.labels.label import Name
from judge_server.store.label_plan_records import LabelShowing
from judge_server.wiring.service import Service

_NAMES: Final = TypeAdapter(Name)
_SETS: Final = TypeAdapter(SetName)


@dataclass(frozen=True)
class LabelSession:
    """Who labels under ``rubric`` into the set ``label_set``. ``source``: another set whose item is labelled again."""

    label_set: str
    rubric: Rubric
    annotator: str
    source: str = ""

    @property
    def query(self) -> str:
        return self.own_query + (f"&{urlencode({'source': self.source})}" if self.source else "")

    @property
    def own_query(self) -> str:
        """As ``query``, for items of the set itself."""
        return urlencode({"set": self.label_set, "rubric": self.rubric.name, "annotator": self.annotator})

    def showing(self, item: str) -> LabelShowing:
        """That the annotator sees now what the judge said about the item."""
        return LabelShowing(label_set=self.label_set, item=item, annotator=self.annotator, shown_at=datetime.now(UTC))


async def session_of(service: Service, given: Mapping[str, str]) -> LabelSession:
    """Raises BadInput for a set or annotator that is no name, and UnknownRubric."""
    label_set, rubric, annotator = (given.get(name, "").strip() for name in ("set", "rubric", "annotator"))
    annotator = own_name() or annotator
    for name, value, kind in (("set", label_set, _SETS), ("annotator", annotator, _NAMES)):
        try:
            kind.validate_python(value)
        except ValidationError:
            raise BadInput(f"{name}: {value[:60]!r} is no name.", remedy="Go back and give one.") from None
    return LabelSession(label_set, await service.rubric_registry.get(rubric), annotator, given.get("source", ""))


def own_name() -> str:
    """The key's name, under which its holder labels; empty if the server knows nobody."""
    caller = current_caller.get()
    return "" if caller is ANYONE else caller.name
