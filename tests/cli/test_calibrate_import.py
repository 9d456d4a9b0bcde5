import contextlib
import json
import os
import pty
import subprocess

import pytest
from typer.testing import CliRunner

from judge_server.cli.calibrate import app
from judge_server.labels.readers import read_labels
from tests.command import PROGRAM
from tests.labels.public.files import published, written
from tests.labels.public.loopback import Site, serving
from tests.yardstick import PATIENCE_SECONDS

RUNNER = CliRunner()
LONG = "item,criterion,annotator,role,label"


def run(*words: object, status: int = 0):
    result = RUNNER.invoke(app, [str(word) for word in words])
    assert result.exit_code == status, result.output
    return result


def test_a_wide_table_becomes_long_in_one_command(tmp_path):
    source = written(tmp_path, "mine.csv", "id,question,ann,bob,gpt", "1,p,yes,no,1", "2,p,no,no,0", "3,q,yes,,1")
    words = ["--column", "item=id", "--column", "cluster=question", "--criterion", "helpful"]
    out = tmp_path / "labels.csv"
    told = run("import", source, *words, "--human", "ann", "--human", "bob", "--judge", "gpt", "--out", out).stdout
    assert "9 labels of 2 humans and 1 judge on 3 items, 2 prompts, 1 criterion; 1 abstained, 0 invalid" in told
    assert f"calibrate report {out}" in told
    assert read_labels(out).table.annotators_of("judge") == ("gpt",)


def test_every_fault_stands_on_a_line_of_its_own_with_its_row(tmp_path):
    source = written(tmp_path, "x.csv", LONG, "a,c,x,human,1", "a,c,x,human,1", "b,c,y,robot,1")
    told = run("import", source, status=2).stderr
    assert "error: 2 faults in the labels" in told
    assert "  row 3, column annotator: 'x' labels item 'a' on 'c' twice" in told
    assert "  row 4, column role: the role 'robot' is unknown (Write human, judge or check.)" in told


def test_a_named_scale_and_a_rubric_are_used(tmp_path):
    source = written(tmp_path, "x.csv", LONG, "a,red_flags,x,human,yes", "b,red_flags,x,human,no")
    told = json.loads(run("import", source, "--rubric", "medical/consultation", "--json").stdout)
    assert told["scales"][0]["classes"] == ["unmet", "met"]
    told = json.loads(run("import", source, "--scale", "red_flags=no<unclear<yes", "--json").stdout)
    assert told["scales"][0]["kind"] == "ordinal"
    run("import", source, "--scale", "odd", status=2)
    run("import", source, "--column", "odd", status=2)


def test_a_share_of_the_prompts_is_locked(tmp_path):
    source = written(tmp_path, "x.csv", LONG, *(f"{number},c,x,human,{number % 2}" for number in range(100)))
    told = run("import", source, "--test-share", "0.3", "--out", tmp_path / "out.csv").stdout
    assert "test (locked)" in told
    assert read_labels(tmp_path / "out.csv").counts.test_clusters > 10
    run("import", source, "--test-share", "3", status=2)


def test_labels_are_kept_in_the_store_and_listed(tmp_path):
    source = written(tmp_path, "mine.csv", LONG, "a,c,x,human,1", "b,c,x,human,0")
    database = f"sqlite:///{tmp_path / 'x.db'}"
    digest = json.loads(run("import", source, "--database", database, "--json").stdout)["digest"]
    told = json.loads(run("list", "--database", database, "--json").stdout)
    assert [one["digest"] for one in told["stored"]] == [digest]
    assert f"stored: mine@{told['stored'][0]['version']} {digest}" in run("list", "--database", database).stdout


def test_the_public_sets_are_listed_with_source_licence_and_checksum():
    told = run("list").stdout
    assert all(name in told for name in ("xstest:", "kqa:", "ttcw:", "llm-rubric:", "healthbench-meta:"))
    assert "sha256 8ed647f796cf" in told
    assert "CC-BY-4.0" in told


def test_a_public_set_is_imported_from_a_file(tmp_path):
    (source,) = published("xstest_labels.csv")
    told = run("import", "xstest", "--from", source, "--out", tmp_path / "labels.csv").stdout
    assert "9000 labels of 2 humans and 2 judges on 2250 items, 450 prompts" in told
    assert "11 invalid" in told


def test_a_public_set_is_imported_from_an_address_and_verified(tmp_path):
    (source,) = published("kqa_nli_physicians.csv")
    with serving(Site(source.read_bytes())) as site:
        told = run("import", "kqa", "--from", site.url, "--cache", tmp_path)
        assert "1197 labels" in told.stdout
        site.content += b"\n"
        assert "checksum" in run("import", "kqa", "--from", site.url, "--cache", tmp_path, status=2).stderr
    assert "--from FILE" in run("import", "kqa", "--from", site.url, "--cache", tmp_path, status=2).stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["xstest"], "--from FILE"),
        (["nothing.csv"], "neither a file nor a public set"),
        (["xstest", "--from", "absent.csv"], "absent.csv"),
    ],
)
def test_what_is_not_there_is_said_with_the_way_on(words, hint):
    assert hint in run("import", *words, status=2).stderr


GUESSED = ("question_id,rater,dimension,rating,answer", "1,ann,help,3,R", "2,ann,help,4,S")


def test_a_guess_of_columns_is_shown_where_nobody_can_be_asked(tmp_path):
    source = written(tmp_path, "mine.csv", *GUESSED)
    told = run("import", source, status=2).stderr
    flags = "--column item=question_id --column criterion=dimension --column annotator=rater --column label=rating"
    assert f"a guess: judge-server calibrate import {source} {flags} --column response=answer --role human" in told
    words = [*flags.split(), "--column", "response=answer", "--role", "human"]
    assert "2 labels of 1 human" in run("import", source, *words).stdout


@pytest.mark.parametrize(("answer", "said", "status"), [("y", "2 labels of 1 human", 0), ("n", "is missing", 2)])
def test_a_guess_of_columns_is_asked_on_a_terminal(tmp_path, answer, said, status):
    source = written(tmp_path, "mine.csv", *GUESSED)
    master, slave = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, "calibrate", "import", source], stdin=slave, stdout=slave, stderr=slave, close_fds=True
    ) as running:
        os.close(slave)
        os.write(master, f"{answer}\n".encode())
        seen = b""
        with contextlib.suppress(OSError):  # the terminal is gone when the command ends
            while some := os.read(master, 4096):
                seen += some
        assert running.wait(PATIENCE_SECONDS) == status
    os.close(master)
    assert "A guess: --column item=question_id" in " ".join(seen.decode().split())
    assert said in " ".join(seen.decode().split())


def test_a_guess_is_not_made_if_a_required_column_stays_unknown(tmp_path):
    source = written(tmp_path, "mine.csv", "item,criterion,who,role,label", "1,c,ann,human,1")
    assert "a guess" not in run("import", source, status=2).stderr


def test_the_role_of_all_rows_is_given_by_a_flag(tmp_path):
    source = written(tmp_path, "mine.csv", "item,criterion,annotator,label", "1,c,ann,1", "2,c,ann,0")
    assert "2 labels of 1 human" in run("import", source, "--role", "human").stdout
    assert "is none of human, judge, check" in run("import", source, "--role", "doctor", status=2).stderr
