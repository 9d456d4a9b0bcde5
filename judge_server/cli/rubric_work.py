"""``judge-server rubric draft``, ``propose``, ``watch`` and ``audit``: a rubric begun, worked on and measured.
``rubric.py`` lists them."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli.options import JudgeFlags, LibraryFlags, takes_flags

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Target = Annotated[str, typer.Argument(metavar="FILE|ID[@VERSION]", help="A rubric file, or a rubric of the library.")]
Targets = Annotated[list[str], typer.Argument(metavar="FILE|DIR...", help="Rubric files, or directories of them.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write here.")]


@takes_flags
def draft(
    rubric_id: Annotated[str, typer.Argument(metavar="ID", help="For example medical/consultation.")],
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Examples, JSON lines: prompt with response, reference, or good and bad (chosen and rejected).",
        ),
    ] = None,
    task: Annotated[str, typer.Option("--task", metavar="TEXT", help="What the answers are to do.")] = "",
    *,
    judging: JudgeFlags,
    library: LibraryFlags,
    judge: Annotated[str | None, typer.Option("--judge", metavar="NAME", help="Whose model proposes.")] = None,
    items: Annotated[int, typer.Option("--items", min=1, max=500, help="Examples that are shown, a call each.")] = 20,
    criteria: Annotated[int, typer.Option("--criteria", min=1, max=100, help="The most that the draft has.")] = 12,
    output: Output = None,
) -> None:
    """Let a model propose a rubric from examples: merged, linted, each criterion with the examples that it came from.

    The file is a draft for people to read. Nothing is published.

    Example: judge-server rubric draft support/tickets --from tickets.jsonl --model openai:NAME@http://127.0.0.1:8001/v1
    """
    from judge_server.cli.actions.rubric_draft import RubricDraftOptions, draft_rubric
    from judge_server.cli.options import settings_given
    from judge_server.cli.running import run

    given = RubricDraftOptions(rubric_id, source, task, judge, items, criteria, output)
    run(draft_rubric(settings_given(judging, library), given))


@takes_flags
def propose(
    target: Target,
    *,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Pairs, JSON lines: prompt, good and bad (chosen and rejected).",
        ),
    ] = None,
    of_run: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="Pairs of this training run, its beginning and its end.")
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="RUN", help="With --run: the responses before are this run's.")
    ] = None,
    task: Annotated[str, typer.Option("--task", metavar="TEXT", help="What the answers are to do.")] = "",
    judging: JudgeFlags,
    library: LibraryFlags,
    judge: Annotated[str | None, typer.Option("--judge", metavar="NAME", help="Whose model proposes.")] = None,
    items: Annotated[int, typer.Option("--items", min=1, max=5_000, help="Pairs that are shown, a call each.")] = 100,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the drafts and the answers.")],
) -> None:
    """Let a model propose criteria for what a rubric does not see, from pairs of a better and a worse response.

    Each prompt gets a rubric of its own: the given one and at most five proposed criteria, each with the pairs that it
    came from. Every change is a new version in a file of its own, so that a training keeps its reward. With --run the
    pairs are those whose reward rose although the judge, without the rubric, prefers the response before. All are
    drafts for people to read; nothing is published. An interrupted run goes on without asking twice.

    Example: judge-server rubric propose medical/consultation --from pairs.jsonl --judge strong --out proposed
    """
    from judge_server.cli.actions.rubric_propose import ProposeOptions
    from judge_server.cli.actions.rubric_propose import propose as propose_criteria
    from judge_server.cli.options import settings_given
    from judge_server.cli.running import run

    given = ProposeOptions(target, source, of_run, base, judge, task, items, out)
    run(propose_criteria(settings_given(judging, library), given))


@takes_flags
def watch(
    targets: Targets,
    *,
    judging: JudgeFlags,
    library: LibraryFlags,
    judge: Annotated[str | None, typer.Option("--judge", metavar="NAME", help="A judge of the configuration.")] = None,
) -> None:
    """Validate, lint and test rubrics each time that one of their files is saved, until Ctrl-C.

    The cases are run as by rubric test: with their own verdicts, or with --model or --judge by a judge.

    Example: judge-server rubric watch rubrics
    """
    from judge_server.cli.actions.rubric_cases import CaseOptions
    from judge_server.cli.actions.rubric_watch import watch as watch_files

    watch_files(targets, CaseOptions(judging, library, judge))


@takes_flags
def audit_criteria(
    target: Target,
    *,
    judging: JudgeFlags,
    library: LibraryFlags,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="Judgments of this judge (default: of the commonest).")
    ] = None,
    policy: Annotated[str | None, typer.Option("--policy", metavar="NAME", help="Of this policy.")] = None,
    hours: Annotated[float | None, typer.Option("--hours", min=0, help="Of the last hours (default: all).")] = None,
    most: Annotated[
        int, typer.Option("--most", min=100, max=20_000, help="Read so many of the oldest and of the newest.")
    ] = 2_500,
    labels: Annotated[
        str | None, typer.Option("--labels", metavar="FILE|ID", help="Labels of people (and judges) on its criteria.")
    ] = None,
    ask: Annotated[
        int, typer.Option("--ask", min=0, help="Ask the judge again about so many, in both orders of the labels.")
    ] = 0,
    proposer: Annotated[
        str | None, typer.Option("--proposer", metavar="JUDGE", help="Also ask in other words, which its model writes.")
    ] = None,
    wordings: Annotated[int, typer.Option("--wordings", min=1, max=10, help="So many for each criterion.")] = 2,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="FILE|ID@VERSION", help="Also ask in the words of another version."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which criteria earn their place, by the stored judgments of the current version.

    Always or never met, nearly the same as another, without part in the reward's variance; with --ask decided by chance
    or by the order of labels, and with --proposer or --against by the wording; with --labels unclear to people, or
    misread by the judge. Each remark has its evidence. An interrupted --ask goes on where it was.

    Example: judge-server rubric audit medical/consultation --config judges.toml --ask 200 --judge strong
    """
    from judge_server.cli.actions.rubric_audit import RubricAuditOptions, audit_rubric
    from judge_server.cli.options import settings_given
    from judge_server.cli.running import run

    settings = settings_given(judging, library)
    given = RubricAuditOptions(target, judge, policy, hours, most, labels, ask, proposer, wordings, against, as_json)
    run(audit_rubric(settings, given))
