"""The configured judges by name."""

from collections.abc import Mapping
from dataclasses import dataclass

from judge_server.core.caller import current_caller
from judge_server.core.errors import UnknownJudge
from judge_server.judging.answer import Judge


def require_shown_by_key(judge: Judge) -> None:
    """Raises JudgeNotAllowed if the caller's API key names other judges."""
    caller = current_caller.get()
    if caller.allowance.judges:
        judge.specification.require_shown(caller.allowance.judges, f"The API key {caller.name!r}")


@dataclass(frozen=True)
class JudgeRegistry:
    """The judges that can be named. ``default``: the one used if a submission names none; None if only programs
    decide."""

    judges: Mapping[str, Judge]
    default: str | None = None

    def appoint(self, name: str | None) -> Judge | None:
        """The judge of that name, or the default, which may be None. Raises UnknownJudge."""
        return None if name is None and self.default is None else self.named(name)

    def named(self, name: str | None) -> Judge:
        """The judge of that name, or the default.

        Raises UnknownJudge, and JudgeNotAllowed for one to which the caller's texts may not be shown."""
        name = name or self.default
        judge = None if name is None else self.judges.get(name)
        if judge is None:
            known = ", ".join(sorted(self.judges)) or "none"
            raise UnknownJudge(f"judge: {name!r} is not configured here.", remedy=f"Configured judges: {known}.")
        require_shown_by_key(judge)
        return judge
