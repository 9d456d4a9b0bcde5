"""Flags of the commands without subcommands: serve, score, show, rescore, demo, bench, doctor and docs."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.running import BAD_USE, run, run_at_once


@options.takes_flags
def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on (default 127.0.0.1).")] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65_535, help="Port to listen on (default 8000); 0 picks a free one."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=256, help="Processes behind the one socket (default 1)."),
    ] = None,
    *,
    judging: options.JudgeFlags,
    library: options.LibraryFlags,
    require_calibrated: Annotated[
        bool | None,
        typer.Option(
            "--require-calibrated",
            help="Answer 409 for a judge and rubric that have not passed calibrate gate.",
        ),
    ] = None,
    wait_for_judge: Annotated[
        bool | None,
        typer.Option(
            "--wait-for-judge/--no-wait-for-judge",
            help="If a judge is away at start: start unready, take jobs in and wait (default), or end with the error.",
        ),
    ] = None,
    auth: Annotated[
        bool | None,
        typer.Option(
            "--auth/--no-auth",
            help="Demand API keys, or demand none (default: they are demanded unless --host is a loopback address).",
        ),
    ] = None,
    open_pages: Annotated[bool, typer.Option("--open", help="Open the pages in a browser (one worker only).")] = False,
    on: options.OnCluster = None,
    address: options.ClusterAddress = None,
) -> None:
    """Serve scores over HTTP: POST /v1/score, OpenAPI at /openapi.json, documentation at /docs.

    Judgments are kept in ./judge-server.db unless --database or DATABASE_URL says otherwise. On SIGTERM the server
    accepts no more requests and finishes those in progress within drain_seconds. With --on ray it runs as replicas on a
    Ray cluster, which share a PostgreSQL database.

    Example: judge-server serve --model vllm:Qwen/Qwen3.5-9B --mode direct
    """
    settings = options.settings_given(
        judging,
        library,
        require_calibrated=require_calibrated,
        host=host,
        port=port,
        workers=workers,
        wait_for_judge=wait_for_judge,
        authentication=None if auth is None else "required" if auth else "off",
    )
    if settings.workers > 1 and open_pages:
        raise typer.BadParameter("--open works with one worker: open the address that the log names.")
    if options.on_ray(on, address):
        from judge_server.distributed.serving import serve_on_ray

        if not run_at_once(lambda: serve_on_ray(settings.on_cluster(address))):
            raise typer.Exit(BAD_USE)
        return
    from judge_server.server.processes.supervisor import serve_by_workers
    from judge_server.server.serving import serve_until_stopped

    whole = settings.with_database()
    started = serve_until_stopped(whole, open_pages=open_pages) if whole.workers == 1 else serve_by_workers(whole)
    if not started:
        raise typer.Exit(BAD_USE)


@options.takes_flags
def score(
    file: Annotated[
        str, typer.Argument(metavar="FILE|DIR|-", help="Submissions, one JSON object a line; - reads standard input.")
    ],
    rubric: Annotated[
        str | None,
        typer.Option(
            "--rubric", metavar="ID_OR_FILE", help="For submissions that name none: an id, id@version or file."
        ),
    ] = None,
    *,
    judging: options.JudgeFlags,
    library: options.LibraryFlags,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="A judge of the configuration file.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Here instead of standard output; .parquet: a table."),
    ] = None,
    deadline: Annotated[
        float | None, typer.Option("--deadline", min=0.001, metavar="SECONDS", help="Time limit for one submission.")
    ] = None,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, help="Concurrent submissions.")] = 64,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with --output: keep what it has of this input, judge the rest.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on a terminal too, instead of tables.")] = False,
    estimate: options.Estimate = False,
    on: options.OnCluster = None,
    address: options.ClusterAddress = None,
) -> None:
    """Score a file of submissions.

    Every line of the input becomes one line of the output, in order: a judgment with a reward, or with reward null and
    a typed error. On a terminal judgments are tables for people; --json, a file or a pipe gives JSON. Blank lines are
    skipped. The exit status is 0 if every line has a judgment or a typed error.
    With -o FILE.parquet they become a table: id, reward, status, error, detail, and the judgment as JSON.
    Judgments are stored only if --database or DATABASE_URL is given. JSON, YAML, Parquet, gzip and folders are read
    too, and so are rows of other projects (rubric import --list-formats) that hold a rubric and a response.
    With --on ray the input is JSON Lines or Parquet, a file, a folder or a URL of an object store, and --output a
    folder of Parquet files.

    Example: judge-server score answers.jsonl --rubric medical/consultation --model openai:NAME@http://127.0.0.1:8001/v1
    """
    from judge_server.cli.actions.score import ScoreOptions, estimate_lines, score_lines

    settings = options.settings_given(judging, library)
    if options.on_ray(on, address):
        from judge_server.cli.actions.score_on_ray import score_partitions

        given = ScoreOptions(file, rubric, judge, output, deadline, concurrency, as_json, resume)
        run_at_once(lambda: score_partitions(settings.on_cluster(address), given))
        return
    work = estimate_lines if estimate else score_lines
    run(work(settings, ScoreOptions(file, rubric, judge, output, deadline, concurrency, as_json, resume)))


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="The folder to make or fill.")],
    name: Annotated[str, typer.Option("--rubric", metavar="ID", help="The id of the first rubric.")] = "my/first",
) -> None:
    """Start a folder of your own: a rubric, responses to try it on, settings, and checks for CI and pre-commit.

    Files that are there already are kept.

    Example: judge-server init grading --rubric support/tickets
    """
    from judge_server.cli.actions.init import make_folder

    run(make_folder(folder, name))


@options.takes_flags
def show(
    judgment: Annotated[str | None, typer.Argument(metavar="[JUDGMENT]", help="The id of one judgment.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="Maximum number, newest first.")] = 10,
    *,
    filters: options.FilterFlags,
    store: options.StoreFlags,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show stored judgments: prompt, response, verdicts with reasons, guard and cost.

    Example: judge-server show --run grpo-7 --step 9 --reward-below 0.2 --database sqlite:///judge-server.db
    """
    from judge_server.cli.actions.show import ShowOptions, find
    from judge_server.cli.actions.show import show as print_judgments

    settings = options.settings_given(store).with_database()
    print_judgments(run(find(settings, ShowOptions(judgment, filters.filter, limit))), as_json)


@options.takes_flags
def rescore(
    rubric: Annotated[
        str | None,
        typer.Option("--rubric", metavar="ID_OR_FILE", help="The rubric to aggregate under (default: each its own)."),
    ] = None,
    judgments: Annotated[
        list[str] | None, typer.Argument(metavar="[JUDGMENT]...", help="Ids; all of the rubric's, or all, if none.")
    ] = None,
    *,
    library: options.LibraryFlags,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Aggregate stored verdicts under another rubric version: new weights, the same verdicts, no model call.

    A criterion whose wording changed needs a judge; such judgments are listed on standard error and skipped. Without
    --rubric each judgment is replayed under the version that it was judged under; exit status 1 if a reward differs by
    more than 1e-9 or a version is not known.

    Example: judge-server rescore --rubric draft.yaml --database sqlite:///judge-server.db
    """
    from judge_server.cli.actions.rescore import is_changed, replay, rescore_stored, show

    settings = options.settings_given(library).with_database()
    if rubric is None:
        replayed, unknown = run(replay(settings, judgments or []))
        show(replayed, as_json)
        raise typer.Exit(1 if unknown or any(map(is_changed, replayed)) else 0)
    show(run(rescore_stored(settings, rubric, judgments or [])), as_json)


@options.takes_flags
def bench(
    *,
    judging: options.JudgeFlags,
    store: options.StoreFlags,
    prompts: Annotated[int, typer.Option("--prompts", min=1, help="Different prompts.")] = 4,
    rollouts: Annotated[int, typer.Option("--rollouts", min=1, help="Responses to each prompt.")] = 8,
    criteria: Annotated[int, typer.Option("--criteria", min=1, max=1_000, help="Criteria of the rubric.")] = 12,
    words: Annotated[int, typer.Option("--words", min=1, help="Approximate words in a response.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure verdicts per second, processor time per verdict and the share of prompt tokens that the cache saved.

    The texts are synthetic and new, so no verdict comes from the cache.
    """
    from judge_server.cli.actions.bench import Workload, measure, show

    settings = options.settings_given(judging, store)
    show(run(measure(settings, Workload(prompts, rollouts, criteria, words))), as_json)


@options.takes_flags
def demo(
    *,
    judging: options.JudgeFlags,
    full: Annotated[
        bool, typer.Option("--full", help="Show every verdict, not only those with the most points.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print judgments, one JSON object a line.")] = False,
) -> None:
    """Score bundled submissions against the medical, writing, safety and format rubrics.

    Without --model the embedded lexical baseline judges. It shows how the parts work together; its rewards say nothing
    about the quality of a response.
    """
    from judge_server.cli.actions.demo import demonstrate

    settings = options.settings_given(judging, options.StoreFlags(database="sqlite://"))
    run(demonstrate(settings, full=full, as_json=as_json))


@options.takes_flags
def doctor(
    *,
    judging: options.JudgeFlags,
    library: options.LibraryFlags,
    start: Annotated[
        bool, typer.Option("--start/--no-start", help="Start the configured judges and the store.")
    ] = True,
    profile: Annotated[
        Path | None,
        typer.Option(
            "--profile", metavar="FILE", dir_okay=False, help="Measure the default judge's engine for size; write FILE."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what this machine can run and what to install.

    With --model or --config the judges are started and checked. The exit status is 1 if there is a fault; a component
    that is not installed is not a fault. With --profile FILE an engine in this process (vllm:) is measured instead, in
    a minute or two; judge-server size --profile FILE then says how many of it a training needs.
    """
    from judge_server.cli.actions.doctor import diagnose, show
    from judge_server.settings.settings import Settings

    def settings() -> Settings:
        return options.settings_from(judging, library)

    if profile is not None:
        from judge_server.cli.actions.sizing import write_profile

        measured = run(write_profile(options.settings_given(judging, library), profile))
        typer.echo(f"{profile}: {measured.basis}; mean error on them {measured.error or 0:.0%}")
        return
    diagnoses = run(diagnose(settings, start=start))
    show(diagnoses, as_json)
    if any(diagnosis.state == "fault" for diagnosis in diagnoses):
        raise typer.Exit(1)


def docs(
    page: Annotated[str | None, typer.Argument(metavar="[PAGE]", help="A page such as labels or trainers/trl.")] = None,
) -> None:
    """Print a page of the documentation as Markdown, or list the pages.

    Example: judge-server docs configuration
    """
    from judge_server.cli.actions.docs import list_pages, print_page

    if page is None:
        list_pages()
    else:
        print_page(page)
