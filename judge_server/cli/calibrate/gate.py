"""``judge-server calibrate gate`` and ``certificates``: pass, fail or not enough evidence, and what was decided."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.calibrate import sources
from judge_server.cli.calibrate.run import Reader, Reason, Split
from judge_server.cli.running import fail


@options.takes_flags
def gate(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Labels of people and judges in the long format.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="TOML of demands (default: the shipped one).")
    ] = None,
    judge: Annotated[str | None, typer.Option("--judge", metavar="NAME", help="One judge (default: all).")] = None,
    rubric: Annotated[
        str | None, typer.Option("--rubric", metavar="ID_OR_FILE", help="Refuse rows made under other rubric content.")
    ] = None,
    fingerprint: Annotated[
        str | None,
        typer.Option(
            "--fingerprint", metavar="SHA", help="The judge's fingerprint, if its rows are not from calibrate run."
        ),
    ] = None,
    split: Split = "dev",
    reader: Reader = "",
    reason: Reason = "",
    print_policy: Annotated[bool, typer.Option("--print-policy", help="Print the policy and exit.")] = False,
    *,
    library: options.LibraryFlags,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Check judges against a policy: agreement with people, distance to the human ceiling, false positives.

    The exit status is 0 if all judges pass, 1 if one fails, 3 if there is not enough evidence. If the rows are from
    calibrate run, the decision is stored as a certificate, which serve --require-calibrated requires.

    Example: judge-server calibrate gate kqa.default.csv --policy policy.toml
    """
    if print_policy:
        from judge_server.calibration.policy import default_policy_text

        typer.echo(policy.read_text("utf-8") if policy else default_policy_text(), nl=False)
        return
    if file is None:
        fail("name a FILE of labels, or --print-policy.")
    from judge_server.cli.actions.calibrate import gate as gating
    from judge_server.cli.running import run

    settings = options.settings_given(library, gate_policy=policy)
    chosen = gating.GateOptions(
        file=file,
        judge=judge,
        rubric=rubric,
        fingerprint=fingerprint,
        part=sources.SplitChoice(split, reader, reason),
        as_json=as_json,
    )
    raise typer.Exit(run(gating.gate_file(settings, chosen)))


@options.takes_flags
def certificates(
    *,
    store: options.StoreFlags,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """List the newest certificate of each judge and rubric, and the fitted maps; stale ones say why they do not count.

    Example: judge-server calibrate certificates --database sqlite:///judge-server.db
    """
    from judge_server.cli.actions.calibrate import certificates as listing
    from judge_server.cli.running import run

    run(listing.show(options.settings_given(store), as_json=as_json))
