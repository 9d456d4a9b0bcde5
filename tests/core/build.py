"""Short ways to write rubrics and verdicts."""

from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Failure, Verdict, VerdictStatus

TIMEOUT = Failure(type="timeout", detail="The deadline passed.")


def rubric(*criteria, **fields):
    """A rubric of criteria written as dicts; a statement and ids (c0, c1, …) are filled in where they are left out."""
    return Rubric.model_validate(
        {"id": "test/rubric", "version": "1.0.0", "title": "A rubric", "criteria": filled(criteria, "c")} | fields
    )


def filled(criteria, prefix):
    made = []
    for number, criterion in enumerate(criteria):
        name = criterion.get("id", f"{prefix}{number}")
        made.append({"id": name, "statement": f"The statement of {name}."} | criterion)
        if "criteria" in criterion:
            made[-1]["criteria"] = filled(criterion["criteria"], f"{name}_")
    return made


def ok(criterion, value=1.0, **fields):
    given = {"status": VerdictStatus.OK, "source": "judge", "points": 1.0, "value": value}
    return Verdict(criterion=criterion, **given | fields)


def missing(criterion, status=VerdictStatus.UNAVAILABLE, error=TIMEOUT, **fields):
    return Verdict(criterion=criterion, status=status, source="judge", points=1.0, error=error, **fields)


def not_applicable(criterion, **fields):
    return Verdict(criterion=criterion, status=VerdictStatus.NOT_APPLICABLE, source="judge", points=1.0, **fields)


def verdicts(**values):
    """One verdict a criterion: a number, True or False, "missing", "n/a", or None for no verdict at all."""
    made = []
    for name, value in values.items():
        if value == "missing":
            made.append(missing(name))
        elif value == "n/a":
            made.append(not_applicable(name))
        elif value is not None:
            made.append(ok(name, float(value)))
    return made
