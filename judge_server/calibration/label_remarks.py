"""What labels say about the criteria of a rubric: on which people disagree, and on which the judge disagrees with
them."""

from typing import Final

from judge_server.calibration.clarity import clarity, kappa_of
from judge_server.calibration.panels import views
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet
from judge_server.monitoring.rubric_audit import AuditRemark

OFTEN: Final = 0.15
POOR: Final = 0.4


def label_remarks(labels: LabelSet, rubric: Rubric) -> list[AuditRemark]:
    """People come first: a judge cannot agree with people who disagree. A remark needs an interval that lies wholly
    beyond the limit."""
    remarks = []
    for one in clarity(labels, rubric):
        if one.low is not None and one.high is not None and one.low > OFTEN:
            told = f"people disagree on {one.disagreed} of {one.items} items ({one.low:.1%} to {one.high:.1%})"
            advice = f"mend the statement before the judge; read {', '.join(one.examples[:3])}"
            remarks.append(AuditRemark(kind="people_disagree", criteria=(one.criterion,), evidence=told, advice=advice))
    for view in views(labels):
        for judge in view.panel.judges:
            found = kappa_of(view, judge)
            if found is not None and found[1] < POOR:
                told = f"κ of {judge} with people is {found[0]:.2f}, at most {found[1]:.2f}"
                advice = "read its disagreements (calibrate disagreements), then try calibrate improve"
                name = view.criteria[0]
                remarks.append(AuditRemark(kind="judge_disagrees", criteria=(name,), evidence=told, advice=advice))
    return remarks
