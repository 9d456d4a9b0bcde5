"""``rubric new`` asks on a terminal, copies another rubric, and writes the commented template otherwise."""

import os
import pty
import subprocess

from judge_server.authoring.publication import load_unchanged
from tests.command import PROGRAM, judge_server


def typed(folder, *answers, status=0):
    """What the command shows on a terminal of its own when these lines are typed."""
    ours, theirs = pty.openpty()
    os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
    command = [str(PROGRAM), "rubric", "new", "my/advice"]
    with subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while piece := _read(ours):
            shown += piece
    os.close(ours)
    assert process.returncode == status, shown.decode()
    return shown.decode()


def _read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux tells that the other end was closed
        return b""


def test_answers_on_a_terminal_become_the_rubric(tmp_path):
    answers = (
        "Advice on laptops",
        "Names a concrete step.",
        "",
        "x",
        "Is rude: calls the reader names.",
        "no",
        "0",
        "-3",
        "",
    )
    shown = typed(tmp_path, *answers)
    assert "A statement has at least 3 characters." in shown
    assert "Points are a number other than 0" in shown
    made = load_unchanged(tmp_path / "my" / "advice.yaml").rubric
    assert (made.id, made.title, made.aggregate.clip) == ("my/advice", "Advice on laptops", (0, 1))
    assert [(leaf.statement, leaf.points) for leaf in made.leaves] == [
        ("Names a concrete step.", 5), ("Is rude: calls the reader names.", -3)]  # fmt: skip


def test_enter_alone_gives_the_commented_template(tmp_path):
    typed(tmp_path, "", "")
    assert "# A program decides: no model is asked." in (tmp_path / "my" / "advice.yaml").read_text()


def test_statements_that_only_cost_points_are_refused(tmp_path):
    assert "no response can earn any" in typed(tmp_path, "", "Is rude to the reader.", "-3", "", status=2)
    assert not (tmp_path / "my").exists()


def test_a_rubric_begins_with_the_content_of_another(tmp_path):
    judge_server("rubric", "new", "my/first", "-o", "first.yaml", cwd=tmp_path)
    ended = judge_server("rubric", "new", "my/second", "--template", "first.yaml", "-o", "second.yaml", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    first, second = (load_unchanged(tmp_path / f"{name}.yaml").rubric for name in ("first", "second"))
    assert second == first.model_copy(update={"id": "my/second"})
