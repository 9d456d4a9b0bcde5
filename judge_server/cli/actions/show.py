"""``judge-server show``: print stored judgments with everything that decided them."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from judge_server.core.errors import BadInput, UnknownJudgment
from judge_server.core.fact import FoundFact
from judge_server.core.judgment import Judgment
from judge_server.core.judgment_filter import JudgmentFilter
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Verdict
from judge_server.settings.settings import Settings
from judge_server.store.store import Store
from judge_server.util.wording import many, money
from judge_server.wiring.storage import standing_store


@dataclass(frozen=True)
class ShowOptions:
    """Either ``judgment``, an id, or filters; of the matches ``limit`` are shown, newest first."""

    judgment: str | None
    wanted: JudgmentFilter
    limit: int


@dataclass(frozen=True)
class Shown:
    """A judgment with its submission and rubric; either is None if the store does not have it."""

    judgment: Judgment
    submission: Submission | None
    rubric: Rubric | None


async def find(settings: Settings, options: ShowOptions) -> list[Shown]:
    """Raises UnknownJudgment if none matches."""
    async with standing_store(settings, migrate=False) as store:
        if options.judgment is not None:
            found = await store.judgment(options.judgment)
            judgments = [] if found is None else [found]
        elif options.wanted.wanted:
            judgments = [one async for one in _listed(store, options)]
        else:
            raise BadInput("Nothing was named.", remedy="Give a judgment's id, or --run, --step or another filter.")
        if not judgments:
            raise UnknownJudgment("No judgment matches.", remedy="Is --database the one that they were kept in?")
        return [await _shown(store, one) for one in judgments]


async def _listed(store: Store, options: ShowOptions) -> AsyncIterator[Judgment]:
    cursor: str | None = None
    left = options.limit
    while left:
        page = await store.judgments(limit=left, cursor=cursor, **options.wanted.wanted)
        for judgment in page.items:
            left -= 1
            yield judgment
        cursor = page.next_cursor
        if cursor is None:
            return


async def _shown(store: Store, judgment: Judgment) -> Shown:
    rubric = None if judgment.rubric is None else await store.rubric_by_digest(judgment.rubric.digest)
    return Shown(judgment, await store.submission(judgment.id), rubric)


def show(found: Sequence[Shown], as_json: bool) -> None:
    """On standard output; JSON is one judgment a line, with the field ``submitted`` as over HTTP."""
    console = Console(highlight=False)
    for one in found:
        if as_json:
            submitted = None if one.submission is None else one.submission.model_dump(mode="json")
            typer.echo(json.dumps(one.judgment.model_dump(mode="json") | {"submitted": submitted}))
        else:
            print_judgment(console, one)
    if not as_json and len(found) > 1:
        console.print(many(len(found), "judgment"))


def print_judgment(console: Console, one: Shown) -> None:
    """Everything about one judgment, for people."""
    judgment = one.judgment
    console.rule(f"[bold cyan]{escape(judgment.id)}[/]", align="left")
    console.print(_facts(judgment))
    if one.submission is not None:
        _print_texts(console, one.submission)
    if judgment.verdicts:
        console.print(_verdicts(judgment, one.rubric))
    for line in _remarks(judgment):
        console.print(line, markup=False, soft_wrap=True)
    console.print()


def _facts(judgment: Judgment) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    place = judgment.submission
    facts = {
        "reward": "none" if judgment.reward is None else f"{judgment.reward:.4f}",
        "status": f"{judgment.status}, coverage {judgment.coverage:.0%}",
        "rubric": None if judgment.rubric is None else f"{judgment.rubric.id}@{judgment.rubric.version}",
        "judge": None if judgment.judge is None else f"{judgment.judge.name} ({judgment.judge.model})",
        "run": place.run,
        "step": None if place.step is None else str(place.step),
        "group": place.group,
        "submission": place.id,
        "policy": place.policy,
        "guard": ", ".join(judgment.flags) or None,
        "cost": _cost(judgment),
        "at": judgment.created_at.isoformat(timespec="seconds"),
    }
    for name, value in facts.items():
        if value is not None:
            table.add_row(f"[dim]{name}[/]", escape(printable(value)))
    return table


def _cost(judgment: Judgment) -> str:
    usage = judgment.usage
    cached = sum(verdict.cached for verdict in judgment.verdicts)
    cost = f"{money(usage.dollars)}; " if usage.dollars else ""
    return (
        f"{cost}{usage.calls} calls, {usage.prompt_tokens} prompt tokens ({usage.cached_tokens} cached), "
        f"{usage.completion_tokens} completion tokens; {cached} verdicts from the cache; "
        f"{judgment.timing.total_seconds:.3f} s"
    )


def _print_texts(console: Console, submission: Submission) -> None:
    for message in submission.conversation:
        _print_text(console, f"prompt, {message.role}", message.content)
    _print_text(console, "response", submission.read.text)
    if submission.reference is not None:
        _print_text(console, "reference", submission.reference)


def _print_text(console: Console, title: str, text: str) -> None:
    console.print(f"[bold]{title}[/]")
    console.print(printable(text), markup=False, soft_wrap=True)


def _verdicts(judgment: Judgment, rubric: Rubric | None) -> Table:
    table = Table("points", "verdict", "by", "criterion", "reason", box=None, pad_edge=False)
    statements = {} if rubric is None else {leaf.id: leaf.statement for leaf in rubric.leaves}
    for verdict in judgment.verdicts:
        step = "" if verdict.step is None else f" (step {verdict.step + 1})"
        statement = printable(statements.get(verdict.criterion, ""))
        named = f"[cyan]{escape(verdict.criterion)}{step}[/] {escape(statement)}"
        decider = next((one.judge for one in verdict.panel if one.decided), verdict.source)
        by = f"{decider}{', cached' if verdict.cached else ''}"
        table.add_row(f"{verdict.points:+g}", _outcome(verdict), by, named, escape(printable(verdict.reason or "")))
    return table


def _outcome(verdict: Verdict) -> str:
    if verdict.value is None:
        reason = f" {verdict.error.type}" if verdict.error else ""
        return f"[red]{verdict.status}{escape(reason)}[/]"
    option = "" if verdict.option is None else f" {escape(printable(verdict.option))}"
    return f"{verdict.value:.2f}{option}"


def _remarks(judgment: Judgment) -> list[str]:
    gates = [f"gate {gate.criterion} fired: the reward is at most {gate.reward:g}" for gate in judgment.gates]
    error = [f"no reward: {judgment.error.type}: {judgment.error.detail}"] if judgment.error else []
    facts = [f"facts.{fact.name}: {_told(fact)}" for fact in judgment.facts]
    return [printable(line) for line in (*facts, *gates, *error, *judgment.notices)]


def _told(fact: FoundFact) -> str:
    if fact.error is not None:
        return f"the judge failed to read it ({fact.error.type})"
    if fact.status == "cannot_tell":
        return "the conversation does not say it"
    return f"{fact.value} ({'given' if fact.source == 'given' else 'read by the judge'})"


def printable(text: str) -> str:
    """``text`` with control characters as escapes, except line ends and tabs: it is shown on a terminal."""
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)
