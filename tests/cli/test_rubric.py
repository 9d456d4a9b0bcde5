import gzip
import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from judge_server.authoring.emitting import yaml_of
from judge_server.authoring.library import rubrics_directory
from judge_server.authoring.lint import RULES
from judge_server.authoring.lock import LOCK
from judge_server.cli.rubric import app
from judge_server.core.submission import Submission
from tests.authoring.build import criterion, rubric

RUNNER = CliRunner()


def run(*words: object, status: int = 0):
    result = RUNNER.invoke(app, [str(word) for word in words])
    assert result.exit_code == status, result.output
    return result


def write(path: Path, *criteria: dict, **fields) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml_of(rubric(*criteria, **fields).rubric), encoding="utf-8")
    return path


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("id: a\nversion: 1.0.0\ntitle: T\ncriteria:\n  - {id: a, statment: Says it.}\n", encoding="utf-8")
    return path


def test_validate_tells_file_line_column_rule_and_suggestion(broken):
    result = run("validate", broken, status=1)
    assert f"{broken}:5:13: error unknown-field: unknown field 'statment' (did you mean 'statement'?)" in result.stdout
    assert result.stdout.endswith("1 file: 2 errors, 0 warnings\n")


def test_validate_takes_directories_and_ends_with_a_summary(tmp_path):
    write(tmp_path / "one.yaml")
    write(tmp_path / "deep" / "two.yaml", id="test/two")
    assert run("validate", tmp_path).stdout == "2 files: 0 errors, 0 warnings\n"


def test_validate_as_json_is_for_programs(broken, tmp_path):
    write(tmp_path / "good.yaml")
    told = json.loads(run("validate", tmp_path, "--json", status=1).stdout)
    assert (told["files"], told["errors"], [one["id"] for one in told["rubrics"]]) == (2, 2, ["test/small"])
    assert {found["line"] for found in told["findings"]} == {5}


def test_validate_refuses_a_pattern_that_cannot_be_carried_out(tmp_path):
    path = write(tmp_path / "x.yaml", criterion(kind="check", check={"kind": "regex", "pattern": "(?=x)"}))
    assert "error bad-check" in run("validate", path, status=1).stdout


def test_validate_refuses_published_content_that_changed(tmp_path):
    path = write(tmp_path / "x.yaml")
    run("publish", path)
    write(path, criterion(points=9))
    assert "changed-after-publication" in run("validate", path, status=1).stdout


def test_validate_refuses_a_tampered_copy_and_two_contents_of_one_version(tmp_path):
    run("publish", write(tmp_path / "x.yaml"), "--rubrics", tmp_path)
    write(tmp_path / "y.yaml", criterion(points=3), id="test/y")
    write(tmp_path / "z.yaml", criterion(points=4), id="test/y")
    copy = tmp_path / "published" / "test" / "small" / "1.0.0.json"
    copy.write_text(copy.read_text(encoding="utf-8").replace("small", "large"), encoding="utf-8")
    told = run("validate", tmp_path, status=1).stdout
    assert "error tampered" in told
    assert "error duplicate-rubric" in told


@pytest.mark.parametrize("command", ["validate", "lint", "show", "export", "publish"])
def test_a_file_that_is_not_there_is_bad_use(command, tmp_path):
    run(command, tmp_path / "absent.yaml", status=2)


def test_lint_shows_warnings_and_counts_what_it_does_not_show(tmp_path):
    path = write(tmp_path / "x.yaml", criterion(statement="Is it right?"))
    result = run("lint", path)
    assert f"{path}:6:24: warning question-statement" in result.stdout
    assert "not shown: --all" in result.stdout
    assert "info few-criteria" in run("lint", path, "--all").stdout
    run("lint", path, "--strict", status=1)
    run("lint", path, "--strict", "--without", "question-statement", status=0)
    run("lint", path, "--without", "no-such-rule", status=2)


def test_lint_errors_and_broken_files_make_the_status_1(tmp_path, broken):
    run("lint", broken, status=1)
    run("lint", write(tmp_path / "x.yaml", criterion(points=-1)), status=1)


def test_lint_lists_its_rules():
    assert all(rule.name in run("lint", "--rules").stdout for rule in RULES)
    assert len(json.loads(run("lint", "--rules", "--json").stdout)) == len(RULES)
    run("lint", status=2)


def test_new_writes_a_rubric_that_is_valid_and_lints_clean(tmp_path):
    path = tmp_path / "new.yaml"
    run("new", "my/rubric", "--output", path)
    run("validate", path)
    assert run("lint", path, "--all", "--strict").stdout == "1 file: 0 errors, 0 warnings\n"
    run("new", "my/rubric", "--output", path, status=2)
    assert "my/rubric" in run("new", "my/rubric", "-o", "-").stdout
    run("new", "My Rubric", "-o", "-", status=1)


def test_publish_locks_a_version_and_diff_compares_with_the_last(tmp_path):
    path = write(tmp_path / "x.yaml", criterion("a"), criterion("b"))
    assert run("publish", path).stdout.startswith("published test/small@1.0.0 sha256:")
    assert run("publish", path).stdout.startswith("unchanged")
    assert (tmp_path / LOCK).is_file()
    write(path, criterion("a", points=3), criterion("c"))
    told = run("diff", path, "--exit-code", status=1).stdout
    assert "a\n  major  reweighted points: +3 instead of +1" in told
    assert "b\n  major  removed: (binary, +1 points)" in told
    assert "the next version is 2.0.0" in told
    refused = run("publish", path, status=1)
    assert refused.stdout.count("sha256:") == 2
    write(path, criterion("a", points=3), criterion("c"), version="2.0.0")
    told = json.loads(run("publish", path, "--json").stdout)
    assert (told[0]["version"], told[0]["new"]) == ("2.0.0", True)


def test_diff_takes_two_files_or_names(tmp_path):
    old, new = write(tmp_path / "old.yaml"), write(tmp_path / "new.yaml", title="Another", version="1.0.1")
    told = json.loads(run("diff", old, new, "--json").stdout)
    assert (told["step"], [change["field"] for change in told["changes"]]) == ("patch", ["title"])
    run("diff", "medical/consultation", "medical/consultation@2.0.0")
    run("diff", old, status=2)


def test_show_has_points_gates_tags_examples_and_digest(tmp_path):
    path = write(
        tmp_path / "x.yaml",
        criterion(
            "danger", points=-4, gate={"when": "met"}, tags=["axis:x"], examples=[{"response": "r", "met": True}]
        ),
    )
    told = run("show", path).stdout
    assert all(part in told for part in ("danger", "-4", "gate: met", "axis:x", "1 example", "sha256:"))
    assert json.loads(run("show", path, "--json").stdout)["digest"] == rubric_digest(path)
    assert "medical/consultation@" in run("show", "medical/consultation").stdout
    assert "test/small" in run("show", "test/small", "--rubrics", tmp_path).stdout


def rubric_digest(path: Path) -> str:
    return json.loads(run("validate", path, "--json").stdout)["rubrics"][0]["digest"]


def test_an_unknown_rubric_is_answered_with_near_ones():
    assert "Did you mean medical/consultation" in run("show", "medical/consultaton", status=2).stderr


def test_markup_in_a_rubric_is_shown_as_text(tmp_path):
    path = write(tmp_path / "x.yaml", criterion(statement="Says [bold]this[/bold] and [/nothing]."))
    assert "[bold]this[/bold]" in run("show", path).stdout


def test_healthbench_rows_are_imported_and_exported(tmp_path):
    rows = [{"rubrics": [{"criterion": f"Names thing {n}.", "points": n, "tags": []}]} for n in (2, 3)]
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    run("import", "healthbench", source, status=2)
    run("import", "healthbench", source, "--id", "hb/set", "-o", tmp_path / "out")
    run("import", "healthbench", source, "--id", "hb/set", "-o", tmp_path / "out", status=2)
    run("validate", tmp_path / "out")
    lines = run("import", "healthbench", source, "--jsonl").stdout.splitlines()
    assert [json.loads(line)["criteria"][0]["points"] for line in lines] == [2, 3]
    back = run("export", tmp_path / "out" / "hb" / "set" / "row-2.yaml", "--format", "healthbench").stdout
    assert json.loads(back)["rubrics"] == rows[1]["rubrics"]


def test_one_record_is_printed_as_yaml(tmp_path):
    source = tmp_path / "tree.json"
    tree = {"id": "p", "requirements": "Whole.", "weight": 1, "sub_tasks": [{"requirements": "Part.", "weight": 2}]}
    source.write_text(json.dumps(tree), encoding="utf-8")
    assert run("import", "paperbench", source).stdout.startswith("id: paperbench/p\n")


def test_export_refuses_to_lose_anything_unasked(tmp_path):
    path = write(tmp_path / "x.yaml", criterion(when={"facts.x": 1}))
    assert "when (first: a)" in run("export", path, "-f", "healthbench", status=2).stderr
    assert "left out: when" in run("export", path, "-f", "healthbench", "--lossy").stderr


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_our_own_formats_lose_nothing(tmp_path, form):
    path = tmp_path / f"x.{form}"
    run("export", "medical/consultation", "--rubrics", rubrics_directory(), "-f", form, "-o", path)
    source = rubrics_directory() / "medical" / "consultation.yaml"
    if form == "yaml":
        assert rubric_digest(path) == rubric_digest(source)
    else:
        assert run("diff", source, path).stdout.endswith("no change\n")


def test_the_schema_is_printed_or_written(tmp_path):
    run("schema", "-o", tmp_path / "schema.json")
    assert (tmp_path / "schema.json").read_text(encoding="utf-8") == run("schema").stdout


def test_diff_looks_ids_up_in_the_directory_of_the_flag(tmp_path):
    folder = tmp_path / "own"
    file = write(folder / "r.yaml", criterion(), id="my/own")
    run("publish", file, "--rubrics", folder)
    write(file, criterion(points=3), id="my/own", version="1.1.0")
    told = run("diff", "my/own@1.0.0", "my/own@1.1.0", "--rubrics", folder).stdout
    assert "reweighted" in told
    assert run("diff", file, "--rubrics", folder).stdout == told


ROWS = [
    {
        "prompt": "Hi?",
        "prompt_id": "a1",
        "reference": "Ho.",
        "rubrics": [{"criterion": "Greets.", "points": 2, "note": 1}],
    },
    {"prompt": "Bye?", "prompt_id": "b2", "rubrics": [{"criterion": "Says bye.", "points": 3}]},
]


def packed(tmp_path: Path, kind: str) -> Path:
    lines = "\n".join(map(json.dumps, ROWS)).encode()
    name, content = {
        "lines": ("rows.jsonl", lines),
        "mark": ("rows.jsonl", b"\xef\xbb\xbf" + lines),
        "gzip": ("rows.jsonl.gz", gzip.compress(lines)),
        "array": ("rows.json", json.dumps(ROWS, indent=1).encode()),
        "array in a line": ("rows.json", json.dumps(ROWS).encode()),
        "yaml": ("rows.yaml", yaml.safe_dump(ROWS).encode()),
    }[kind]
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["lines", "mark", "gzip", "array", "array in a line", "yaml"])
def test_rows_become_submissions_ready_to_score_whatever_file_holds_them(tmp_path, kind):
    done = run("import", "auto", packed(tmp_path, kind), "--submissions")
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["id"], first["prompt"], first["reference"]) == ("a1", "Hi?", "Ho.")
    assert (second["id"], second["prompt"]) == ("b2", "Bye?")
    assert [one["rubric"]["criteria"][0]["points"] for one in (first, second)] == [2, 3]
    assert "read: 2 healthbench; criteria: 2 binary" in done.stderr
    assert "not carried over: rubrics[].note (1)." in done.stderr


def test_parquet_rows_and_folders_are_read(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="the calibration extra reads Parquet")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "rows.parquet")
    packed(tmp_path, "lines")
    lines = run("import", "auto", tmp_path, "--submissions").stdout.splitlines()
    assert [json.loads(line)["prompt"] for line in lines] == ["Hi?", "Bye?", "Hi?", "Bye?"]


def test_strict_refuses_to_lose_a_field_and_says_which(tmp_path):
    path = packed(tmp_path, "lines")
    refused = run("import", "auto", path, "--jsonl", "--strict", status=2)
    assert "prompt (2)" in refused.stderr
    assert "rubrics[].note (1)" in refused.stderr
    assert refused.stdout == ""
    path.write_text(json.dumps({"rubrics": [{"criterion": "Greets.", "points": 2}]}), encoding="utf-8")
    assert run("import", "auto", path, "--strict").stdout


def test_formats_are_listed_and_an_unknown_one_is_refused_with_them(tmp_path):
    assert "promptfoo" in run("import", "--list-formats").stdout
    assert "healthbench" in run("import", "odd", packed(tmp_path, "lines"), status=2).stderr
    odd = tmp_path / "odd.json"
    odd.write_text('{"colour": 1}', encoding="utf-8")
    assert "colour" in run("import", "auto", odd, status=2).stderr


def test_imported_submissions_are_valid_once_they_have_a_response(tmp_path):
    for line in run("import", "auto", packed(tmp_path, "lines"), "--submissions").stdout.splitlines():
        submission = Submission.model_validate({**json.loads(line), "response": "Hello and bye."})
        assert submission.rubric.leaves


def test_a_tree_that_no_rubric_file_can_hold_is_refused_with_the_bound(tmp_path):
    leaves = [{"id": f"n{n}", "requirements": f"Part {n}.", "weight": 1, "sub_tasks": []} for n in range(4_000)]
    groups = [{"requirements": f"G{n}.", "weight": 1, "sub_tasks": leaves[n : n + 500]} for n in range(0, 4_000, 500)]
    source = tmp_path / "tree.json"
    source.write_text(json.dumps({"id": "p", "requirements": "Whole.", "weight": 1, "sub_tasks": groups}), "utf-8")
    refused = run("import", "paperbench", source, "-o", tmp_path / "out.yaml", status=1)
    assert "12,000 values" in refused.output
    assert not (tmp_path / "out.yaml").exists()


def test_add_copies_a_whole_area_and_nothing_if_one_file_exists(tmp_path):
    shelf, into = tmp_path / "shelf", tmp_path / "project"
    for name in ("clinic/advice", "clinic/note", "law/memo"):
        write(shelf / f"{name}.yaml", id=name)
    run("add", "clinic", "--into", into, "--rubrics", shelf)
    assert sorted(path.relative_to(into).as_posix() for path in into.rglob("*.yaml")) == [
        "clinic/advice.yaml",
        "clinic/note.yaml",
    ]
    assert "version: 0.1.0-draft" in (into / "clinic" / "note.yaml").read_text()
    (into / "clinic" / "advice.yaml").unlink()
    assert "exists" in run("add", "clinic", "--into", into, "--rubrics", shelf, status=2).stderr
    assert not (into / "clinic" / "advice.yaml").exists()
    assert "Areas: clinic, law" in run("add", "medicine", "--into", into, "--rubrics", shelf, status=2).stderr
    assert "2 rubrics" in run("add", "clinic", "--as", "a/b", "--into", into, "--rubrics", shelf, status=2).stderr
