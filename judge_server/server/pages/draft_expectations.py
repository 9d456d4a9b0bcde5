"""The cases of a draft: what an expert expects of responses, held against the draft's points and gates. No judge is
asked, as in ``judge-server rubric test``."""

from dataclasses import dataclass

from judge_server.authoring.cases import CaseFile, cases_of
from judge_server.authoring.parsing import Parsed
from judge_server.core.errors import JudgeServerError
from judge_server.scoring.case_run import CaseReport, run_set
from judge_server.store.draft_records import RubricDraft
from judge_server.wiring.service import Service


@dataclass(frozen=True)
class DraftExpectations:
    """``report``: None if cases do not fit the draft, or cannot be read; ``faults``: why, a line each."""

    report: CaseReport | None
    faults: tuple[str, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """A line for each expectation that is not met."""
        if self.report is None:
            return ()
        return tuple(f"{one.case}: {fault}" for one in self.report.results for fault in one.faults)


def draft_cases(service: Service, draft: RubricDraft, parsed: Parsed) -> CaseFile | None:
    """The cases under ``tests`` in the draft's text, else those of the version from which it began."""
    own = cases_of(parsed)
    return own if own is not None or draft.base is None else service.rubric_registry.cases(draft.base)


def expectations(service: Service, draft: RubricDraft, parsed: Parsed) -> DraftExpectations | None:
    """None if the draft has no cases. Takes some hundredths of a second: call it in a thread."""
    try:
        cases = draft_cases(service, draft, parsed)
        if cases is None:
            return None
        misfits = cases.misfits(parsed.rubric)
        return DraftExpectations(None if misfits else run_set(parsed.rubric, cases), tuple(misfits))
    except JudgeServerError as fault:
        return DraftExpectations(None, (str(fault),))
