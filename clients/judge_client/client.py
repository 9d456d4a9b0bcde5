"""Every native route, blocking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from judge_client import calls
from judge_client.calibration import CalibrationList, CalibrationProgress
from judge_client.calls import RubricText
from judge_client.configuration import Terms, options_of, refuse_unknown
from judge_client.connection import DEFAULT_CONNECTIONS
from judge_client.deadline import Deadline
from judge_client.endpoint import Endpoint
from judge_client.exam import ExamList, ExamProgress
from judge_client.exchange import Call
from judge_client.group import GroupOptions, GroupResult, Rollouts
from judge_client.group_scoring import score_group
from judge_client.improvement import ImprovementList, ImprovementProgress
from judge_client.job import Job, JobPage, JobResult, until_ended
from judge_client.judge import EngineStatus, JudgeStatus, Ready
from judge_client.judgment import Judgment
from judge_client.label import Collected, LabelSet, LabelSetSummary
from judge_client.options import (
    CalibrationOptions,
    CallOptions,
    ExamOptions,
    ImproveOptions,
    JudgmentFilter,
    LabelSetPage,
    SleepOptions,
    WakeOptions,
)
from judge_client.progress import Progress, part_items, watching
from judge_client.rubric import Difference, Published, RubricDocument, RubricEntry, Validation
from judge_client.sample import Sample, Text, samples_of, texts_of
from judge_client.scoring import Samples, score, score_batch
from judge_client.stored import JudgmentPage, RescoreResult

if TYPE_CHECKING:
    from typing import TypeVar

    from typing_extensions import Self, Unpack

    T = TypeVar("T")


class Client:
    """A judge-server, asked by blocking calls.

    ``url``, ``api_key``, ``deadline_seconds``, ``priority``, ``attempts`` and ``patience_seconds`` fall back to
    JUDGE_URL, JUDGE_API_KEY, JUDGE_DEADLINE_SECONDS, JUDGE_PRIORITY, JUDGE_ATTEMPTS and JUDGE_PATIENCE_SECONDS; rubric
    and judge of samples that name none to JUDGE_RUBRIC and JUDGE_NAME. A failing call is retried for
    ``patience_seconds`` (120), at most ``attempts`` times. Judgments that failed are results, with ``reward`` None;
    anything else that goes wrong is raised (``judge_client.errors``). Picklable, and safe for threads and forks."""

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        deadline_seconds: float | None = None,
        priority: str | None = None,
        attempts: int | None = None,
        patience_seconds: float | None = None,
        connections: int = DEFAULT_CONNECTIONS,
        **unknown: Any,
    ) -> None:
        refuse_unknown(type(self).__name__, unknown, options_of(type(self).__init__))
        terms = Terms(deadline_seconds=deadline_seconds, priority=priority)
        self._endpoint = Endpoint(
            url,
            api_key=api_key,
            terms=terms,
            attempts=attempts,
            patience_seconds=patience_seconds,
            connections=connections,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(url={self._endpoint.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes idle connections; a later call opens new ones."""
        self._endpoint.connection.close()

    def score(self, sample: Sample | Mapping[str, Any], **options: Unpack[CallOptions]) -> Judgment:
        """POST /v1/score. A judgment that failed is returned, too: ``judgment.require()`` raises there."""
        terms = self._endpoint.terms_with(**options)
        return self._endpoint.connection.run(score(sample, terms, self._endpoint.conduct))

    def score_batch(
        self, samples: Samples, *, progress: Progress = False, **options: Unpack[CallOptions]
    ) -> list[Judgment]:
        """POST /v1/score/batch, in as many requests as the server's limits ask for. In order. ``progress``: True draws
        a line on a terminal, a function is called with (done, total)."""
        terms, conduct, listed = self._endpoint.terms_with(**options), self._endpoint.conduct, samples_of(samples)
        at_most = None if progress is False else part_items(len(listed))
        with watching(progress, len(listed)) as done:
            return self._endpoint.connection.run(score_batch(listed, terms, conduct, part_items=at_most, done=done))

    def score_group(
        self,
        prompt: Text,
        responses: Iterable[Text],
        *,
        deadline_seconds: float | None = None,
        priority: str | None = None,
        **options: Unpack[GroupOptions],
    ) -> GroupResult:
        """POST /v1/score/group: rollouts of one prompt."""
        terms = self._endpoint.terms_with(deadline_seconds=deadline_seconds, priority=priority)
        rollouts = Rollouts(prompt, texts_of(responses, "responses"), **options)
        return self._endpoint.connection.run(score_group(rollouts, terms, self._endpoint.conduct))

    def judgments(self, **filters: Unpack[JudgmentFilter]) -> JudgmentPage:
        """GET /v1/judgments: one page, newest first."""
        return self._ask(calls.judgments(**filters))

    def all_judgments(self, **filters: Unpack[JudgmentFilter]) -> Iterator[Judgment]:
        """Every judgment that the filters let through, page by page."""
        while True:
            page = self.judgments(**filters)
            yield from page.judgments
            if page.next_cursor is None:
                return
            filters["cursor"] = page.next_cursor

    def judgment(self, judgment_id: str) -> Judgment:
        """GET /v1/judgments/{id}; ``submitted`` holds what was judged."""
        return self._ask(calls.judgment(judgment_id))

    def rescore(self, judgments: Sequence[str], rubric: str | Mapping[str, Any]) -> list[RescoreResult]:
        """POST /v1/rescore: ids of stored judgments under another aggregation. No judge is asked."""
        found: list[RescoreResult] = []
        for start in range(0, len(judgments), calls.MOST_RESCORED):
            part = self._ask(calls.rescore(judgments[start : start + calls.MOST_RESCORED], rubric))
            found.extend(part)
        return found

    def rubrics(self) -> tuple[RubricEntry, ...]:
        """GET /v1/rubrics."""
        return self._ask(calls.rubrics())

    def rubric(self, name: str) -> RubricDocument:
        """GET /v1/rubrics/{name}: ``id`` (the newest) or ``id@version``."""
        return self._ask(calls.rubric(name))

    def publish_rubric(self, text: RubricText) -> Published:
        """POST /v1/rubrics: YAML or JSON text, or plain data."""
        return self._ask(calls.publish_rubric(text))

    def validate_rubric(self, text: RubricText) -> Validation:
        """POST /v1/rubrics/validate: faults and advice; nothing is kept."""
        return self._ask(calls.validate_rubric(text))

    def diff_rubrics(self, rubric_id: str, old: str, new: str | None = None) -> Difference:
        """GET /v1/rubrics/{id}/diff between two versions; without ``new``, to the newest."""
        return self._ask(calls.diff_rubrics(rubric_id, old, new))

    def judges(self) -> tuple[JudgeStatus, ...]:
        """GET /v1/judges."""
        return self._ask(calls.judges())

    def engines(self) -> tuple[EngineStatus, ...]:
        """GET /v1/admin/engines."""
        return self._ask(calls.engines())

    def sleep(self, **options: Unpack[SleepOptions]) -> tuple[EngineStatus, ...]:
        """POST /v1/admin/sleep: the judges' engines give their memory away, once nobody holds them."""
        return self._ask(calls.sleep(**options))

    def wake(self, **options: Unpack[WakeOptions]) -> tuple[EngineStatus, ...]:
        """POST /v1/admin/wake."""
        return self._ask(calls.wake(**options))

    def add_labels(self, label_set: str, labels: Sequence[Mapping[str, Any]], *, replace: bool = False) -> Collected:
        """POST /v1/labels: all or none."""
        return self._ask(calls.add_labels(label_set, labels, replace=replace))

    def label_sets(self) -> tuple[LabelSetSummary, ...]:
        """GET /v1/label-sets."""
        return self._ask(calls.label_sets())

    def label_set(self, name: str, **page: Unpack[LabelSetPage]) -> LabelSet:
        """GET /v1/label-sets/{name}: a page of labels. The test split is locked: say who reads it and why."""
        return self._ask(calls.label_set(name, **page))

    def calibrate(
        self, labels: str, rubric: str | Mapping[str, Any], **options: Unpack[CalibrationOptions]
    ) -> CalibrationProgress:
        """POST /v1/calibrations: begins to measure a judge; ``calibration(id)`` tells how far that is."""
        return self._ask(calls.calibrate(labels, rubric, **options))

    def calibrations(self, *, limit: int = 100, cursor: str | None = None) -> CalibrationList:
        """GET /v1/calibrations: those that are done, newest first."""
        return self._ask(calls.calibrations(limit, cursor))

    def calibration(self, calibration_id: str) -> CalibrationProgress:
        """GET /v1/calibrations/{id}."""
        return self._ask(calls.calibration(calibration_id))

    def examine(self, **options: Unpack[ExamOptions]) -> ExamProgress:
        """POST /v1/exams: begins to ask a judge pairs with known answers; ``exam(id)`` tells how far that is."""
        return self._ask(calls.examine(**options))

    def exams(self, judge: str | None = None, *, limit: int = 100, cursor: str | None = None) -> ExamList:
        """GET /v1/exams: newest first, of all judges or of one."""
        return self._ask(calls.exams(judge, limit, cursor))

    def exam(self, exam_id: str) -> ExamProgress:
        """GET /v1/exams/{id}; its report is a page at /v1/exams/{id}/report."""
        return self._ask(calls.exam(exam_id))

    def improve(
        self, labels: str, rubric: str | Mapping[str, Any], **options: Unpack[ImproveOptions]
    ) -> ImprovementProgress:
        """POST /v1/improvements: begins to make a judge agree better; ``improvement(id)`` tells how far that is."""
        return self._ask(calls.improve(labels, rubric, **options))

    def improvements(self, *, limit: int = 100, cursor: str | None = None) -> ImprovementList:
        """GET /v1/improvements: newest first."""
        return self._ask(calls.improvements(limit, cursor))

    def improvement(self, improvement_id: str) -> ImprovementProgress:
        """GET /v1/improvements/{id}."""
        return self._ask(calls.improvement(improvement_id))

    def cancel_improvement(self, improvement_id: str) -> ImprovementProgress:
        """DELETE /v1/improvements/{id}: ends it; answers stay remembered."""
        return self._ask(calls.cancel_improvement(improvement_id))

    def improvement_file(self, improvement_id: str, name: str) -> str:
        """GET /v1/improvements/{id}/files/{name}: a report, the drafted rubric, or the judge's configuration."""
        return self._ask(calls.improvement_file(improvement_id, name))

    def begin_job(self, samples: Samples, *, key: str | None = None, **options: Unpack[CallOptions]) -> Job:
        """POST /v1/jobs: a batch that survives the server. The same ``key`` with the same content is the same job.
        ``deadline_seconds`` holds for each try of one sample, and ``priority`` is ``batch`` if none is named."""
        terms = self._endpoint.terms
        wishes = {"rubric": terms.rubric, "judge": terms.judge, **options}
        return self._ask(calls.begin_job(samples, key, **wishes))

    def jobs(self, *, status: str | None = None, limit: int = 100, cursor: str | None = None) -> JobPage:
        """GET /v1/jobs: one page, newest first."""
        return self._ask(calls.jobs(status, limit, cursor))

    def job(self, job_id: str) -> Job:
        """GET /v1/jobs/{id}: how far it is."""
        return self._ask(calls.job(job_id))

    def wait_for_job(
        self, job_id: str, *, deadline_seconds: float | None = None, progress: Callable[[int, int], None] | None = None
    ) -> Job:
        """The job when it has ended; it is asked after every few seconds. ``progress`` is called with (done, total).
        Raises DeadlineExceeded if it takes longer; the job goes on."""
        deadline = Deadline.after(self._endpoint.terms_with(deadline_seconds=deadline_seconds).deadline_seconds)
        flow = until_ended(calls.job(job_id), deadline, self._endpoint.conduct.backoff, progress)
        return self._endpoint.connection.run(flow)

    def job_results(self, job_id: str, *, after: int = -1) -> list[JobResult]:
        """GET /v1/jobs/{id}/results: those that are there, in order, behind the index ``after``."""
        return self._ask(calls.job_results(job_id, after))

    def cancel_job(self, job_id: str) -> Job:
        """DELETE /v1/jobs/{id}: what has a result keeps it."""
        return self._ask(calls.cancel_job(job_id))

    def healthz(self) -> dict[str, Any]:
        """GET /healthz: the process is alive."""
        return self._ask(calls.healthz())

    def readyz(self) -> Ready:
        """GET /readyz. Raises Momentary if the server cannot judge now."""
        return self._ask(calls.readyz())

    def metrics(self) -> str:
        """GET /metrics: Prometheus exposition."""
        return self._ask(calls.metrics())

    def _ask(self, call: Call[T]) -> T:
        return self._endpoint.connection.run(self._endpoint.ask(call))
