"""The judges that can be named, and the one that answers when a submission names none."""

from collections.abc import Mapping
from dataclasses import dataclass

from judge_server.core.errors import UnknownJudge
from judge_server.judging.answer import Judge


@dataclass(frozen=True)
class JudgeRegistry:
    """``default``: a name among ``judges``, or None where programs alone decide."""

    judges: Mapping[str, Judge]
    default: str | None = None

    def appoint(self, name: str | None) -> Judge | None:
        """The judge of that name, or the default, which may be none. Raises UnknownJudge."""
        return None if name is None and self.default is None else self.named(name)

    def named(self, name: str | None) -> Judge:
        """The judge of that name, or the default. Raises UnknownJudge."""
        name = name or self.default
        judge = None if name is None else self.judges.get(name)
        if judge is None:
            known = ", ".join(sorted(self.judges)) or "none"
            raise UnknownJudge(f"judge: {name!r} is not configured here.", remedy=f"Configured judges: {known}.")
        return judge
