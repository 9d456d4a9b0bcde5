"""What people say about a version of a rubric. It is no part of the version: it can change without a new one."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from judge_server.core.model import Frozen
from judge_server.core.rubric import Version

ReviewStatus = Literal["unreviewed", "reviewed", "expired", "withdrawn"]


def _calendar_day(text: str) -> str:
    date.fromisoformat(text)
    return text


Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_calendar_day)]
Line = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"\S")]


class Reviewer(Frozen):
    """A person who read the version; ``conflicts``: interests that they declared, None if nothing was said."""

    name: Line
    credential: Line
    date: Day
    conflicts: Line | None = None


class RubricReview(Frozen):
    """``review_by``: the last day on which the review counts. ``superseded_by``: the version to use instead."""

    review: ReviewStatus = "unreviewed"
    reviewers: tuple[Reviewer, ...] = ()
    review_by: Day | None = None
    superseded_by: Version | None = None
    reason: Line | None = None

    @model_validator(mode="after")
    def _says_who_or_why(self) -> Self:
        if self.review == "reviewed" and not self.reviewers:
            raise ValueError("a reviewed version names its reviewers: {name, credential, date}")
        if self.review == "withdrawn" and not self.reason:
            raise ValueError("a withdrawn version says why in reason")
        return self

    def on(self, today: date) -> ReviewStatus:
        """The status on that day: a review whose ``review_by`` has passed is expired."""
        late = self.review_by is not None and today > date.fromisoformat(self.review_by)
        return "expired" if late and self.review == "reviewed" else self.review

    def due(self, today: date) -> bool:
        """Whether ``review_by`` has passed."""
        return self.review_by is not None and today > date.fromisoformat(self.review_by)

    def told(self, today: date) -> str:
        """The status in one line, with reviewers, the last day, the reason and the successor."""
        who = ", ".join(f"{person.name} ({person.credential}, {person.date})" for person in self.reviewers)
        parts = [
            f"{self.on(today)}" + (f" by {who}" if who else ""),
            f"review by {self.review_by}" + (" has passed" if self.due(today) else "") if self.review_by else "",
            self.reason or "",
            f"use {self.superseded_by}" if self.superseded_by else "",
        ]
        return "; ".join(filter(None, parts))
