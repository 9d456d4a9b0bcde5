"""The service's rubrics: files of the library, and versions published to the store over HTTP."""

import asyncio
import logging
import time
from collections.abc import Set
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from judge_server.authoring.cases import CaseFile, cases_of
from judge_server.authoring.edition import changed_content
from judge_server.authoring.library import Library, nearest
from judge_server.core.errors import BadRubric, RubricConflict, RubricNotAllowed, RubricsUnavailable, UnknownRubric
from judge_server.core.model import Frozen
from judge_server.core.review import ReviewStatus, RubricReview
from judge_server.core.rubric import Rubric, split_name, version_key
from judge_server.store.store import Store
from judge_server.util.deadline import wait_ends_at
from judge_server.util.log_throttle import LogThrottle
from judge_server.util.time_limit import until

_LOG = logging.getLogger(__name__)
_FRESH_SECONDS = 1.0
_MOST_REMEMBERED = 4_096


class RegistryEntry(Frozen):
    """A rubric in a listing: its newest version and the list of versions."""

    id: str
    version: str
    versions: tuple[str, ...]
    title: str
    domain: str | None
    criteria: int
    digest: str
    authors: tuple[str, ...] = ()
    published: bool
    review: ReviewStatus = "unreviewed"


@dataclass(frozen=True, slots=True)
class _Remembered:
    rubric: Rubric
    until: float


class RubricRegistry:
    """Combines files and store. The newest version wins in either; one id@version never has two contents."""

    def __init__(
        self, library: Library, store: Store, *, require_review: bool = False, allow_withdrawn: bool = False
    ) -> None:
        self._library = library
        self._store = store
        self.reviewed_only = require_review
        self._allow_withdrawn = allow_withdrawn
        self._expiries = LogThrottle()
        self._remembered: dict[str, _Remembered] = {}
        self._looked_up: set[str] = set()
        self._served: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._changes = LogThrottle()

    async def get(self, name: str) -> Rubric:
        """The rubric of ``id`` (the newest) or ``id@version``. Raises UnknownRubric with near matches."""
        known = self._remembered.get(name)
        if known is not None and time.monotonic() < known.until:
            return known.rubric
        rubric = await self._find(name)
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
            self._looked_up.clear()
        self._looked_up.add(rubric.digest)
        self._remembered[name] = _Remembered(rubric, time.monotonic() + _FRESH_SECONDS)
        return rubric

    async def get_for_judging(self, name: str) -> Rubric:
        """``get`` for a rubric that decides rewards: the database keeps the content of an id@version fixed, across
        restarts and replicas. A prerelease version may change.

        Raises RubricConflict if the content differs from the one that judged first under that version.
        """
        rubric = await self.get(name)
        if rubric.prerelease:
            return rubric
        if self._served.get(rubric.name) == rubric.digest:
            self._refused.pop(rubric.name, None)
            return rubric
        first = await self._store.serve_rubric(rubric)
        if first != rubric.digest:
            self._refuse_changed(rubric, first)
        self._refused.pop(rubric.name, None)
        if len(self._served) >= _MOST_REMEMBERED:
            self._served.clear()
        self._served[rubric.name] = first
        return rubric

    @property
    def unrestricted(self) -> "RubricRegistry":
        """The same rubrics without demands on their review, for measuring judges."""
        other = copy(self)
        other.reviewed_only, other._allow_withdrawn = False, True  # noqa: SLF001 - the copy is not shared yet
        return other

    def review_of(self, rubric: Rubric) -> RubricReview | None:
        """What is recorded about this version beside the lock; None if nothing is, or if the content is another."""
        review = self._library.review(rubric.id, rubric.version)
        if review is None or self._library.digest(rubric.name) == rubric.digest:
            return review
        return None

    def admitted(self, rubric: Rubric) -> str | None:
        """A warning about the review of a rubric that is about to judge; None if there is nothing to say. Raises
        RubricNotAllowed for a withdrawn version, and for one without a valid review if the settings require it."""
        review, today = self.review_of(rubric), datetime.now(UTC).date()
        status = review.on(today) if review else "unreviewed"
        if status == "withdrawn" and review is not None and not self._allow_withdrawn:
            raise RubricNotAllowed(
                f"{rubric.name} is withdrawn: {review.reason}",
                remedy=f"Use {rubric.id}@{review.superseded_by}, or start with allow_withdrawn = true."
                if review.superseded_by
                else "Use another rubric, or start with allow_withdrawn = true.",
            )
        if self.reviewed_only and status != "reviewed":
            raise RubricNotAllowed(
                f"{rubric.name} is {status}, and this server judges under reviewed rubrics only.",
                remedy="Record a review in reviews.yaml beside rubrics.lock, or start with require_review = false.",
            )
        if review is None or (status == "reviewed" and not review.due(today)):
            return None
        if review.due(today) and (more := self._expiries.of(rubric.name)) is not None:
            _LOG.warning("%s should have been reviewed by %s%s", rubric.name, review.review_by, more)
        return f"{rubric.name}: {review.told(today)}"

    def cases(self, name: str) -> CaseFile | None:
        """The cases beside the file of a rubric of the library; None if there are none. Raises BadRubric for cases that
        cannot be read."""
        try:
            return cases_of(self._library.parsed(name))
        except (UnknownRubric, RubricConflict):
            return None

    def _refuse_changed(self, rubric: Rubric, first: str) -> NoReturn:
        conflict = RubricConflict(
            f"{rubric.name} judged with the digest {first}, and its file now has the digest {rubric.digest}.",
            remedy="Give the changed rubric the next version, or undo the change: rewards of a run must not change.",
            digests=[first, rubric.digest],
        )
        self._refused[rubric.name] = rubric.digest
        if (more := self._changes.of(rubric.name)) is not None:
            _LOG.error("%s%s", conflict, more)
        raise conflict

    async def _find(self, name: str) -> Rubric:
        try:
            rubric_id, version = split_name(name)
        except ValueError as fault:
            raise UnknownRubric(f"rubric: {fault}.") from None
        in_files = self._library.versions(rubric_id)
        if version is None:
            in_store = await self._store.rubric_versions(rubric_id)
            version = max({*in_files, *in_store}, key=version_key, default=None)
        if version is not None and version not in in_files:
            stored = await self._store.rubric(rubric_id, version)
            if stored is not None:
                return stored
        try:
            return await self._read(name if version is None else f"{rubric_id}@{version}")
        except UnknownRubric as fault:
            raise await self._unknown(rubric_id, version, fault.detail) from None
        except BadRubric:
            judged = await self._store.served_rubric(rubric_id, version)
            if judged is None:
                raise
            return judged  # the file became unreadable before this process read it

    async def _read(self, name: str) -> Rubric:
        """Of the library. Raises what it raises, and RubricsUnavailable if a published copy cannot be read before the
        request's waits end."""
        if not self._library.is_copy(name):
            return self._library.get(name)
        try:
            with until(wait_ends_at.get()):
                return await asyncio.to_thread(self._library.get, name)
        except TimeoutError:
            raise RubricsUnavailable(
                f"The file of {name!r} could not be read before the deadline.",
                remedy="Look at the disk of the rubrics; requests go on when it answers.",
                retry_after_seconds=5.0,
            ) from None

    async def _unknown(self, rubric_id: str, version: str | None, detail: str) -> UnknownRubric:
        """Names versions and rubrics of files, readable or not, and of the store together."""
        versions = await self.versions(rubric_id)
        judged = await self._store.served_rubric(rubric_id, version)
        if judged is not None:
            known = f" Known: {', '.join(versions)}." if versions else ""
            detail = f"There is no rubric {judged.name!r} any more: its file was removed after it had judged."
            return UnknownRubric(detail, remedy=f"Put the file back, or name another rubric.{known}")
        if versions:
            detail = f"{rubric_id} has no version {version}."
            return UnknownRubric(detail, remedy=f"Known: {', '.join(versions)}.")
        return UnknownRubric(detail, remedy=nearest(rubric_id, sorted(await self.ids() | self._library.broken())))

    @property
    def broken_files(self) -> int:
        """Library files that cannot be read (a rubric that was readable before keeps its last content) or conflict."""
        return len(self._library.faults())

    def faults(self) -> list[str]:
        """Rubrics whose judging content differs from their file, one line each with the reason."""
        changed = [
            f"{name}: its content changed under a version that has judged"
            for name, digest in self._refused.items()
            if self._library.digest(name) == digest
        ]
        return sorted([*self._library.faults(), *changed])

    @property
    def shown(self) -> Set[str]:
        """Digests of rubrics recently looked up by name: their ids come from an expert, not from a request. Later
        lookups change the set."""
        return self._looked_up

    async def versions(self, rubric_id: str) -> tuple[str, ...]:
        """All versions, oldest first."""
        known = {*self._library.versions(rubric_id), *await self._store.rubric_versions(rubric_id)}
        return tuple(sorted(known, key=version_key))

    async def ids(self) -> frozenset[str]:
        """Every rubric in a file or published; not inline rubrics of requests."""
        return frozenset((*self._library.names(), *await self._store.rubric_ids()))

    async def listing(self) -> list[RegistryEntry]:
        """Every rubric that can be read, by id; ``faults`` names those whose newest version stands for two contents."""
        found = [await self._entry(rubric_id) for rubric_id in sorted(await self.ids())]
        return [entry for entry in found if entry is not None]

    async def _entry(self, rubric_id: str) -> RegistryEntry | None:
        versions = await self.versions(rubric_id)
        try:
            rubric = await self.get(f"{rubric_id}@{versions[-1]}")
        except RubricConflict:
            return None
        return RegistryEntry(
            id=rubric_id,
            version=rubric.version,
            versions=versions,
            title=rubric.title,
            domain=rubric.domain,
            criteria=len(rubric.leaves),
            digest=rubric.digest,
            authors=rubric.authors,
            published=await self._is_published(rubric),
            review=review.on(datetime.now(UTC).date()) if (review := self.review_of(rubric)) else "unreviewed",
        )

    async def _is_published(self, rubric: Rubric) -> bool:
        if self._library.is_published(rubric.id, rubric.version):
            return True
        return rubric.version in await self._store.rubric_versions(rubric.id)

    async def _require_newer(self, rubric: Rubric) -> None:
        versions = await self._store.rubric_versions(rubric.id)
        if versions and version_key(rubric.version) <= version_key(versions[-1]):
            raise RubricConflict(
                f"{rubric.name} is not newer than {versions[-1]}, the version published last.",
                remedy="Give it a higher version.",
            )

    async def publish(self, rubric: Rubric) -> bool:
        """Keep a version permanently; False if the same content was published before.

        Raises RubricConflict, naming both digests, if id@version has other content in a file or in the store, and if
        the version is not newer than the last published one.
        """
        if rubric.version in self._library.versions(rubric.id):
            there = await self._read(rubric.name)
            if there.digest != rubric.digest:
                raise changed_content(rubric.name, None, rubric.digest, there.digest)
        new = not await self._is_published(rubric)
        if new:
            await self._require_newer(rubric)
        await self._store.put_rubric(rubric, published=True)
        self._remembered.clear()
        return new
