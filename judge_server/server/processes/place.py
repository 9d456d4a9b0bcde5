"""Which of the worker processes this one is, and what each may use of the server's limits."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path

from judge_server.core.caller import ClassLimit
from judge_server.settings.settings import Settings

FIRST = 0


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """Worker ``number`` of ``count``. ``folder``: only this server's processes may read it."""

    number: int
    count: int
    folder: Path

    def socket_of(self, number: int) -> Path:
        """Where the worker of this number answers the others."""
        return self.folder / f"worker-{number}.sock"

    @property
    def others(self) -> tuple[int, ...]:
        return tuple(number for number in range(self.count) if number != self.number)


def share_of(settings: Settings, count: int) -> Settings:
    """The settings of one of ``count`` workers: the server's limits on what is under way are divided among them."""

    def part(limit: int | None) -> int | None:
        return None if limit is None else ceil(limit / count)

    limits = {
        name: ClassLimit(submissions=part(one.submissions), questions=part(one.questions))
        for name, one in settings.class_limits.items()
    }
    judges = {
        name: judge.model_copy(
            update={"engine": {**judge.engine, "max_in_flight": ceil(judge.engine["max_in_flight"] / count)}}
        )
        if isinstance(judge.engine.get("max_in_flight"), int)
        else judge
        for name, judge in settings.judges.items()
    }
    return settings.model_copy(
        update={
            "judges": judges,
            "class_limits": limits,
            "max_under_way": part(settings.max_under_way),
            "max_questions": part(settings.max_questions),
            "max_bodies_bytes": part(settings.max_bodies_bytes),
        }
    )
