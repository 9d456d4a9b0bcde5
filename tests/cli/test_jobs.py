"""``judge-server jobs`` against a running server."""

import json

import pyarrow as pa
from pyarrow import parquet

from tests.command import judge_server
from tests.served import served, settings_of
from tests.submissions import submission


def test_a_file_is_handed_over_followed_and_read_back(tmp_path):
    sent = [submission(response=f"Call now, {number}.", id=number) for number in range(4)]
    file = tmp_path / "answers.jsonl"
    file.write_text("\n".join(map(json.dumps, sent)))
    with served(settings_of()) as client:
        url = str(client.base_url)
        begun = judge_server("jobs", "submit", file, "--wait", "--url", url)
        assert begun.returncode == 0, begun.stderr
        job = begun.stdout.strip()
        shown = judge_server("jobs", "show", job, "--json", "--url", url)
        assert json.loads(shown.stdout)["ok"] == 4
        assert job in judge_server("jobs", "list", "--json", "--url", url).stdout
        assert json.loads(judge_server("jobs", "wait", job, "--json", JUDGE_URL=url).stdout)["status"] == "done"
        results = judge_server("jobs", "results", job, JUDGE_URL=url).stdout.splitlines()
        assert [json.loads(line)["submission"]["id"] for line in results] == ["0", "1", "2", "3"]
        table = tmp_path / "results.parquet"
        assert judge_server("jobs", "results", job, "-o", table, JUDGE_URL=url).returncode == 0
        rows = parquet.read_table(table).to_pylist()
        assert [row["judgment"] for row in rows] == results
        assert [(row["id"], row["reward"]) for row in rows] == [
            (one["submission"]["id"], one["reward"]) for one in map(json.loads, results)
        ]
        assert list(tmp_path.glob(".*")) == []
        cancelled = judge_server("jobs", "cancel", job, "--json", "--url", url)
        assert json.loads(cancelled.stdout)["status"] == "done"


def test_a_server_on_this_machine_is_reached_without_a_proxy_and_a_message_names_the_proxy_of_others():
    proxy = dict.fromkeys(("HTTP_PROXY", "http_proxy"), "http://user:hidden@127.0.0.1:9") | {"no_proxy": ""}
    with served(settings_of()) as client:
        assert judge_server("jobs", "list", "--url", client.base_url, **proxy).returncode == 0
    away = judge_server("jobs", "list", "--url", "http://judge.example.org", **proxy)
    assert "asked through the proxy http://127.0.0.1:9, does not answer" in " ".join(away.stderr.split())
    assert "hidden" not in away.stderr


def test_a_folder_of_parquet_and_other_files_is_handed_over(tmp_path):
    rows = [
        {"prompt": "I have a fever.", "response": f"Rest, and drink {number} glasses of water."} for number in range(6)
    ]
    folder = tmp_path / "answers"
    folder.mkdir()
    parquet.write_table(pa.Table.from_pylist(rows[:3]), folder / "a.parquet")
    (folder / "b.json").write_text(json.dumps(rows[3:5]))
    (folder / "c.jsonl").write_text(json.dumps(rows[5]) + "\n")
    with served(settings_of()) as client:
        url = str(client.base_url)
        begun = judge_server("jobs", "submit", folder, "--rubric", "medical/consultation", "--wait", "--url", url)
        assert begun.returncode == 0, begun.stderr
        results = judge_server("jobs", "results", begun.stdout.strip(), JUDGE_URL=url).stdout.splitlines()
        assert [json.loads(line)["status"] for line in results] == ["ok"] * 6


def test_a_row_that_cannot_be_read_ends_the_upload_and_nothing_is_begun(tmp_path):
    file = tmp_path / "answers.json"
    good = {"prompt": "a", "response": "b"}
    file.write_text(json.dumps([good, {"prompt": "a", "rubric": ["Names water."]}]))
    with served(settings_of()) as client:
        url = str(client.base_url)
        refused = judge_server("jobs", "submit", file, "--url", url)
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr
        assert json.loads(client.get("/v1/jobs").text)["jobs"] == []


def test_a_bad_line_is_told_with_its_number_and_nothing_is_begun(tmp_path):
    with served(settings_of()) as client:
        url = str(client.base_url)
        refused = judge_server("jobs", "submit", "-", "--url", url, stdin='{"prompt": "a"}\nnonsense\n')
        assert refused.returncode == 2
        assert "line 2" in refused.stderr
        assert json.loads(client.get("/v1/jobs").text)["jobs"] == []


def test_a_server_that_is_not_there_is_told_in_one_line():
    absent = judge_server("jobs", "list", "--url", "http://127.0.0.1:9")
    assert absent.returncode == 2
    assert "does not answer" in absent.stderr
    assert "Traceback" not in absent.stderr
