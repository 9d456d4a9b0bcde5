"""``judge-server jobs``: durable batches of a running server."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from judge_server.cli.listing import Commands
from judge_server.core.caller import PriorityClass

app = Commands(
    name="jobs",
    help="Durable batches of a running server: an accepted job is finished even if the server restarts.",
    no_args_is_help=True,
)

Url = Annotated[str, typer.Option("--url", envvar="JUDGE_URL", metavar="URL", help="URL of the server.")]
ApiKey = Annotated[
    str | None,
    typer.Option("--api-key", envvar="JUDGE_API_KEY", show_envvar=True, help="Prefer the environment variable."),
]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
_HERE = "http://127.0.0.1:8000"


@app.command()
def submit(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|DIR|-",
            allow_dash=True,
            help="Submissions: JSON Lines, Parquet, other files, or a folder of them.",
        ),
    ],
    rubric: Annotated[
        str | None, typer.Option("--rubric", metavar="ID", help="For submissions that name none.")
    ] = None,
    judge: Annotated[str | None, typer.Option("--judge", metavar="NAME", help="A judge of the server.")] = None,
    priority: Annotated[PriorityClass, typer.Option("--priority", help="Priority class.")] = "batch",
    deadline: Annotated[
        float | None,
        typer.Option("--deadline", min=0.001, metavar="SECONDS", help="Time limit for each attempt at one submission."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--idempotency-key", metavar="KEY", help="The same key again returns the same job."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended.")] = False,
    url: Url = _HERE,
    api_key: ApiKey = None,
) -> None:
    """Submit a file as a job; print the job's id.

    Example: judge-server jobs submit answers.jsonl --rubric medical/consultation --wait
    """
    from judge_server.cli.actions.jobs import Jobs

    wishes = {"rubric": rubric, "judge": judge, "priority": priority, "deadline_seconds": deadline}
    with Jobs(url, api_key) as jobs:
        job = jobs.submit(file, wishes, key)
        typer.echo(job["id"])
        if wait:
            jobs.wait(job["id"])


@app.command("list")
def list_jobs(
    status: Annotated[
        Literal["queued", "running", "done", "cancelled"] | None, typer.Option("--status", help="Only these.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 50,
    as_json: AsJson = False,
    url: Url = _HERE,
    api_key: ApiKey = None,
) -> None:
    """List jobs, newest first."""
    from judge_server.cli.actions.jobs import Jobs, show

    with Jobs(url, api_key) as jobs:
        show(jobs.listed(status, limit), as_json)


@app.command("show")
def show_job(job: JobId, as_json: AsJson = False, url: Url = _HERE, api_key: ApiKey = None) -> None:
    """Show the progress of a job."""
    from judge_server.cli.actions.jobs import Jobs, show

    with Jobs(url, api_key) as jobs:
        show([jobs.found(job)], as_json)


@app.command("wait")
def wait_for(job: JobId, as_json: AsJson = False, url: Url = _HERE, api_key: ApiKey = None) -> None:
    """Wait for the end of a job with a progress bar, also across a restart of the server."""
    from judge_server.cli.actions.jobs import Jobs, show

    with Jobs(url, api_key) as jobs:
        show([jobs.wait(job)], as_json)


@app.command()
def results(
    job: JobId,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", dir_okay=False, help="JSON Lines, or Parquet if it ends in .parquet."
        ),
    ] = None,
    url: Url = _HERE,
    api_key: ApiKey = None,
) -> None:
    """Print the judgments so far, one JSON object a line, in the order of the submissions.

    With -o FILE.parquet they become a table: id, reward, status, error, detail, and the judgment as JSON.
    """
    from judge_server.cli.actions.jobs import Jobs

    with Jobs(url, api_key) as jobs:
        jobs.results(job, output)


@app.command()
def cost(job: JobId, as_json: AsJson = False, url: Url = _HERE, api_key: ApiKey = None) -> None:
    """Show what the judgments so far cost: calls, tokens and money, by rubric.

    Money needs a price: judges.NAME.price in the configuration file, or a litellm: model in LiteLLM's table.
    """
    from judge_server.cli.actions.jobs import Jobs, show_cost

    with Jobs(url, api_key) as jobs:
        show_cost(jobs.cost(job), as_json)


@app.command()
def cancel(job: JobId, as_json: AsJson = False, url: Url = _HERE, api_key: ApiKey = None) -> None:
    """Cancel a job; finished submissions keep their results."""
    from judge_server.cli.actions.jobs import Jobs, show

    with Jobs(url, api_key) as jobs:
        show([jobs.cancelled(job)], as_json)
