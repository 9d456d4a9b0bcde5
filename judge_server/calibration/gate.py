"""Pass, fail or not enough evidence: one judge's agreement with people against a policy.

The policy's rules apply to the whole, to single criteria and to kinds of items. A demand is met if the whole interval
meets it, and failed if the measured value does not. If the value meets it but the interval does not, or there is too
little data, there is not enough evidence. Failing needs less data than passing: from 8 prompts on, an interval entirely
on the wrong side fails.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from math import ceil

import numpy as np

from judge_server.agreement.metric import Estimate
from judge_server.agreement.resampling import Resampling
from judge_server.calibration.headline import ceiling, estimates, headline_metric, missing
from judge_server.calibration.metric_words import words
from judge_server.calibration.pairing import require_judge
from judge_server.calibration.panels import View
from judge_server.calibration.policy import HEADLINE, Policy, PolicyRule
from judge_server.calibration.readings import of_judges, readings, require_asked
from judge_server.calibration.scopes import Scope, material, missing_as_wrong, scopes
from judge_server.core.calibration import RULES, Certificate, CertificateFinding, Decision, Standing
from judge_server.core.errors import BadConfiguration
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric, RubricReference
from judge_server.labels.label_set import LabelSet
from judge_server.util.wording import beside, capitalized, many, percent, plain


class Gating(Frozen):
    """The policy's decision on one judge. ``labels`` and ``policy`` are digests."""

    judge: str
    decision: Decision
    findings: tuple[CertificateFinding, ...]
    criteria: dict[str, Standing]
    kinds: dict[str, Standing]
    policy: str
    labels: str

    @property
    def gap(self) -> CertificateFinding | None:
        """The distance from the judge to the human ceiling, if it was demanded and could be measured."""
        return next((one for one in self.findings if one.gap is not None), None)


def gate(labels: LabelSet, judge: str, policy: Policy, rubric: Rubric | None = None) -> Gating:
    """``rubric`` says which criteria are important and which a program answers; without one, all criteria are
    important.

    Raises BadInput for a judge that is not in the labels or was never asked a labelled criterion, BadConfiguration for
    a rule on an unknown metric or criterion.
    """
    require_judge(labels.table, judge)
    labels = of_judges(readings(labels).judged, rubric)
    require_asked(labels, [judge])
    found = material(labels, judge, rubric)
    findings = [_missing(found.together, judge, policy)]
    for rule in policy.rules:
        findings += [_judged(scope, judge, rule, policy) for scope in scopes(rule, found)]
    if not findings[1:]:
        findings.append(_nothing_applies(policy))
    return Gating(
        judge=judge,
        decision=_worst([one.decision for one in findings]),
        findings=tuple(findings),
        criteria=_standings(findings, found.single, "criterion"),
        kinds=_standings(findings, {one.tag: one for one in findings if one.tag}, "tag"),
        policy=policy.digest,
        labels=labels.digest,
    )


def _standings(findings: Sequence[CertificateFinding], names: Iterable[str], of: str) -> dict[str, Standing]:
    """The worst result of each: failed before not shown before proven."""
    order: tuple[Standing, ...] = ("failed", "not shown", "proven")
    found: dict[str, Standing] = {}
    for name in names:
        own = [one.standing for one in findings if getattr(one, of) == name and one.standing is not None]
        found[name] = min(own, key=order.index, default="not shown")
    return found


def held_to_all(gating: Gating, unmeasured: Sequence[str]) -> Gating:
    """The gate's decision for a whole rubric: criteria without labels are not enough evidence."""
    if not unmeasured:
        return gating
    named = ", ".join(unmeasured[:8]) + (f" and {len(unmeasured) - 8} more" if len(unmeasured) > 8 else "")
    missing_criteria = CertificateFinding(
        decision=Decision.NOT_ENOUGH_EVIDENCE,
        demand="every criterion that asks a judge has labels",
        reason=f"The rubric also asks the judge about {named}, which nobody labelled.",
    )
    findings = (*gating.findings, missing_criteria)
    return gating.model_copy(update={"findings": findings, "decision": _worst([one.decision for one in findings])})


def certificate(gating: Gating, *, fingerprint: str, rubric: RubricReference, **origin: str | None) -> Certificate:
    """The decision for one judge and one rubric content. ``origin``: ``calibration`` and ``maps``."""
    return Certificate(
        id=f"crt_{secrets.token_hex(8)}",
        decision=gating.decision,
        judge=gating.judge,
        fingerprint=fingerprint,
        rubric=rubric,
        policy=gating.policy,
        labels=gating.labels,
        findings=gating.findings,
        criteria=gating.criteria,
        kinds=gating.kinds,
        rules=RULES,
        created_at=datetime.now(UTC),
        **origin,
    )


def _worst(decisions: Sequence[Decision]) -> Decision:
    order = (Decision.FAIL, Decision.NOT_ENOUGH_EVIDENCE, Decision.PASS)
    return min(decisions, key=order.index)


def _judged(scope: Scope, judge: str, rule: PolicyRule, policy: Policy) -> CertificateFinding:
    name = headline_metric(scope.view) if rule.metric == HEADLINE else rule.metric
    resampling = policy.resampling()
    items, silent = missing(scope.view.panel, judge)
    share = silent / items if items else 0.0
    wrong = share >= policy.missing_is_wrong and silent > 0
    if wrong:
        scope = replace(scope, view=missing_as_wrong(scope.view, judge))
    if rule.max_gap is not None:
        found = _gap(scope, judge, name, rule, policy, resampling)
    else:
        if rule.metric == HEADLINE and name != "pearson":
            name = f"{name}_pairwise"
        measured = estimates(scope.view, judge, {name}, resampling).get(name)
        if measured is None:
            raise _unknown(name, scope.view, judge, resampling)
        seen = items if wrong else items - silent
        found = _bounded(scope, judge, name, measured.model_copy(update={"n": min(measured.n, seen)}), rule, policy)
    if not wrong:
        return found
    said = f"{found.reason} {silent} of {items} labels are missing, and count as wrong."
    return found.model_copy(update={"reason": said, "missing": share})


def _bounded(
    scope: Scope, judge: str, name: str, found: Estimate, rule: PolicyRule, policy: Policy
) -> CertificateFinding:
    shown = _FindingBuilder(scope, name, rule, found)
    if rule.bar == "not shown bad":
        return _not_bad(shown, judge)
    if short := _short(found, rule, policy):
        hopeless = (
            found.high is not None and found.high < rule.min_low
            if rule.min_low is not None
            else found.low is not None and rule.max_high is not None and found.low > rule.max_high
        )
        return shown.short(short, hopeless=hopeless)
    if found.value is None:
        if _says_one_thing(scope.view, judge):
            return shown.finding(Decision.FAIL, f"the judge gave every item the same label ({found.note})")
        return shown.finding(Decision.NOT_ENOUGH_EVIDENCE, f"it cannot be measured: {found.note}")
    if found.low is None or found.high is None:
        return shown.finding(
            Decision.NOT_ENOUGH_EVIDENCE, f"{plain(found.value)} was measured, and {found.note}", needed=found.needed
        )
    spoken = _spoken(found, rule)
    if rule.min_low is not None:
        bound, distance, reach, met = rule.min_low, found.value - rule.min_low, found.value - found.low, found.low
        ok, side = met >= bound, "at least"
    else:
        bound = rule.max_high if rule.max_high is not None else 1.0
        distance, reach, ok, side = bound - found.value, found.high - found.value, found.high <= bound, "at most"
    return shown.decided(spoken, f"{side} {plain(bound)} is demanded", ok=ok, distance=distance, reach=reach)


def _not_bad(shown: "_FindingBuilder", judge: str) -> CertificateFinding:
    """Fails if the whole interval misses the demand, or the judge is constant and people are not."""
    found, rule = shown.estimate, shown.rule
    if found.value is None:
        if _says_one_thing(shown.scope.view, judge):
            return shown.finding(Decision.FAIL, f"the judge gave every item the same label ({found.note})", "failed")
        return shown.finding(Decision.PASS, f"it cannot be measured: {found.note}", "not shown")
    if found.low is None or found.high is None:
        said = f"{plain(found.value)} was measured, and {found.note}: too little data to decide"
        return shown.finding(Decision.PASS, said, "not shown")
    spoken = _spoken(found, rule)
    if rule.min_low is not None:
        bad, good, demanded = found.high < rule.min_low, found.low >= rule.min_low, f"at least {plain(rule.min_low)}"
    else:
        most = rule.max_high if rule.max_high is not None else 1.0
        bad, good, demanded = found.low > most, found.high <= most, f"at most {plain(most)}"
    if bad:
        return shown.finding(Decision.FAIL, f"{spoken}, {demanded} is demanded: the whole interval misses it", "failed")
    said = f"{spoken}, {demanded} is demanded" + ("" if good else ": not shown bad")
    return shown.finding(Decision.PASS, said, "proven" if good else "not shown")


def _gap(
    scope: Scope, judge: str, name: str, rule: PolicyRule, policy: Policy, resampling: Resampling
) -> CertificateFinding:
    found = ceiling(scope.view, judge, name, resampling)
    if found is None:
        nothing = Estimate(note="there is no human ceiling: no two people rated an item that the judge rated")
        known = rule.ceiling == "where known"
        decision = Decision.PASS if known else Decision.NOT_ENOUGH_EVIDENCE
        reason = f"{nothing.note}" + (", so the rule does not apply" if known else "")
        return _FindingBuilder(scope, name, rule, nothing).finding(decision, reason)
    gap, own, people = found.gap, found.judge, found.humans
    shown = _FindingBuilder(scope, name, rule, own, people.value, gap.value)
    if short := _short(gap, rule, policy):
        return shown.short(short, hopeless=gap.low is not None and gap.low > (rule.max_gap or 0.0))
    if gap.value is None or gap.low is None or gap.high is None:
        if own.value is None and people.value is not None and _says_one_thing(scope.view, judge):
            said = f"people reach {plain(people.value)} among themselves; the judge gave every item the same label"
            return shown.finding(Decision.FAIL, said)
        return shown.finding(
            Decision.NOT_ENOUGH_EVIDENCE,
            f"how far it falls short of people cannot be said: {gap.note}",
            needed=gap.needed,
        )
    most = rule.max_gap or 0.0
    spoken = (
        f"{_number(own.value)} against a human ceiling of {_number(people.value)}: "
        f"the gap is {beside(gap.value, most)} [{beside(gap.low, most)}, {beside(gap.high, most)}]"
    )
    distance, reach = most - gap.value, gap.high - gap.value
    return shown.decided(
        spoken, f"at most {plain(most)} is allowed", ok=gap.high <= most, distance=distance, reach=reach
    )


@dataclass(frozen=True)
class _FindingBuilder:
    """A finding under construction."""

    scope: Scope
    metric: str
    rule: PolicyRule
    estimate: Estimate
    ceiling: float | None = None
    gap: float | None = None

    def finding(
        self, decision: Decision, reason: str, standing: Standing | None = None, needed: int | None = None
    ) -> CertificateFinding:
        found = self.estimate
        own: dict[Decision, Standing] = {Decision.PASS: "proven", Decision.FAIL: "failed"}
        return CertificateFinding(
            decision=decision,
            demand=self.rule.demand,
            criterion=self.scope.criterion,
            tag=self.scope.tag,
            standing=standing or own.get(decision, "not shown"),
            metric=self.metric,
            value=found.value,
            low=found.low,
            high=found.high,
            ceiling=self.ceiling,
            gap=self.gap,
            items=found.n,
            clusters=found.clusters,
            needed=needed,
            reason=f"{capitalized(words(self.metric))}, {self.scope.note}: {reason}.",
        )

    def short(self, short: tuple[str, int], *, hopeless: bool) -> CertificateFinding:
        """Too little data to pass; enough to fail if the whole interval is on the wrong side (``hopeless``)."""
        said, needed = short
        if not hopeless:
            return self.finding(Decision.NOT_ENOUGH_EVIDENCE, said, needed=needed)
        found, rule = self.estimate, self.rule
        if self.gap is not None:
            spoken = f"the gap to the human ceiling of {_number(self.ceiling)} is {plain(self.gap)}"
        else:
            spoken = f"{_number(found.value)} [{_number(found.low)}, {_number(found.high)}]"
        return self.finding(Decision.FAIL, f"{spoken}, {_demanded(rule)}: the whole interval misses it, though {said}")

    def decided(self, spoken: str, demanded: str, *, ok: bool, distance: float, reach: float) -> CertificateFinding:
        """``distance``: value to bound, positive on the good side; ``reach``: half-width of the interval in that
        direction."""
        if ok:
            return self.finding(Decision.PASS, f"{spoken}, {demanded}")
        if distance <= 0:
            return self.finding(Decision.FAIL, f"{spoken}, {demanded}")
        needed = ceil(self.estimate.clusters * (reach / distance) ** 2)
        more = f"about {needed:,} prompts would tell, {needed - self.estimate.clusters:,} more than now"
        said = f"{spoken}, {demanded}: the interval reaches beyond; {more}"
        return self.finding(Decision.NOT_ENOUGH_EVIDENCE, said, needed=needed)


def _short(found: Estimate, rule: PolicyRule, policy: Policy) -> tuple[str, int] | None:
    """The shortages of data, with the numbers needed."""
    items, clusters = rule.min_items or policy.min_items, rule.min_clusters or policy.min_clusters
    if found.n < items:
        return f"{many(found.n, 'item')}, {items} are needed: {items - found.n:,} more", items
    if found.clusters < clusters:
        short = clusters - found.clusters
        return f"{many(found.clusters, 'prompt')}, {clusters} are needed: {short:,} more", clusters
    return None


def _missing(together: Sequence[View], judge: str, policy: Policy) -> CertificateFinding:
    counted = [missing(view.panel, judge) for view in together]
    items, silent = sum(rated for rated, _ in counted), sum(lacking for _, lacking in counted)
    share = silent / items if items else 1.0
    allowed = f"{percent(policy.max_missing)} is allowed"
    said = f"the judge gave no usable label on {silent} of {many(items, 'item')} ({percent(share)}), {allowed}"
    return CertificateFinding(
        decision=Decision.PASS if items and share <= policy.max_missing else Decision.FAIL,
        demand=f"missing labels: at most {policy.max_missing:g}",
        metric="missing",
        value=share,
        items=items,
        reason=f"{capitalized(said)}.",
    )


def _nothing_applies(policy: Policy) -> CertificateFinding:
    return CertificateFinding(
        decision=Decision.NOT_ENOUGH_EVIDENCE,
        demand="at least one rule applies",
        reason=f"No rule of the policy {policy.name!r} applies to these labels.",
    )


def _says_one_thing(view: View, judge: str) -> bool:
    """The judge is constant although people's labels vary."""
    codes, reference = view.panel.judges[judge].codes, view.panel.majority()
    both = (codes >= 0) & (reference >= 0)
    return len(np.unique(codes[both])) == 1 and len(np.unique(reference[both])) > 1


def _unknown(name: str, view: View, judge: str, resampling: Resampling) -> BadConfiguration:
    from judge_server.agreement.judge import Measurement, judge_agreement

    known = sorted(judge_agreement(view.panel, judge, Measurement(resampling=resampling)))
    near = get_close_matches(name, known, 1)
    return BadConfiguration(
        f"The policy names the metric {name!r}, which these labels do not have.",
        remedy=f"Did you mean {near[0]}?" if near else "calibrate report --json lists the metrics.",
    )


def _demanded(rule: PolicyRule) -> str:
    if rule.min_low is not None:
        return f"at least {plain(rule.min_low)} is demanded"
    if rule.max_high is not None:
        return f"at most {plain(rule.max_high)} is demanded"
    return f"at most {plain(rule.max_gap or 0.0)} is allowed"


def _spoken(found: Estimate, rule: PolicyRule) -> str:
    """Value and interval, told apart from the rule's bound."""
    bound = rule.min_low if rule.min_low is not None else rule.max_high if rule.max_high is not None else 1.0
    value, low, high = (beside(one, bound) for one in (found.value, found.low, found.high) if one is not None)
    return f"{value} [{low}, {high}]"


def _number(value: float | None) -> str:
    return "undefined" if value is None else plain(value)
