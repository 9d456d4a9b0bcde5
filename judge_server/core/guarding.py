"""What a rubric's author lets the guard do beside raising flags."""

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from judge_server.core.model import Frozen

Suspicion = Literal["injection_suspected", "criteria_echo", "repetition", "hidden_characters", "look_alikes"]
SUSPICIONS: tuple[str, ...] = get_args(Suspicion)
Suspicions = Annotated[tuple[Suspicion, ...], Field(max_length=len(SUSPICIONS))]


class Guarding(Frozen):
    """``veto``: flags with which a response is not judged but gets the lowest reward of the rubric. ``allow``: flags
    that are legitimate under this rubric, so that the server's own veto does not count for them."""

    veto: Suspicions = ()
    allow: Suspicions = ()

    @model_validator(mode="after")
    def _one_or_the_other(self) -> "Guarding":
        for name, given in (("veto", self.veto), ("allow", self.allow)):
            if len(set(given)) < len(given):
                raise ValueError(f"guard.{name} names a flag twice")
        both = sorted(set(self.veto) & set(self.allow))
        if both:
            raise ValueError(f"guard: {', '.join(both)} cannot be vetoed and allowed at once; leave one of them out")
        return self

    def vetoed(self, flags: tuple[str, ...], everywhere: frozenset[str] = frozenset()) -> str | None:
        """The first of ``flags`` that this rubric, or the server ``everywhere``, vetoes."""
        named = (everywhere - set(self.allow)) | set(self.veto)
        return next((flag for flag in flags if flag in named), None) if named else None
