"""The audit of dependencies sees what it should, and never calls blindness a clean result."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from deploy.advisory import read_advisories
from deploy.advisory_source import Directory, NothingKnown, Pin, Service
from deploy.audit_dependencies import ACCEPTED, CLEAN, CONTROLS, FOUND, NOT_AUDITED, accepted_in, audit, main, pins_of
from tests.project.repository import ROOT

NOW = datetime.now(UTC).isoformat()
LOCK = "harmless==1.0.0 \\\n    --hash=sha256:00\nPoor.Package[extra]==2.5 ; sys_platform == 'linux' \\\n    # via x\n"


def record(name: str, package: str, *events: dict[str, str], **fields: Any) -> dict[str, Any]:
    """An advisory of our own in OSV's format."""
    affected = {
        "package": {"name": package, "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
    }
    return {"id": name, "modified": NOW, "summary": f"{package} is at fault.", "affected": [affected]} | fields


CONTROL_RECORDS = [
    record(f"OURS-CONTROL-{place}", pin.package, {"introduced": "0"}, {"last_affected": pin.version})
    for place, pin in enumerate(CONTROLS)
]


def written(folder: Path, *records: dict[str, Any]) -> Directory:
    for one in records:
        (folder / f"{one['id']}.json").write_text(json.dumps(one), "utf-8")
    return Directory(folder, most_days=14)


def test_a_vulnerable_pin_is_named_with_its_lock(tmp_path, capsys):
    poor = record("OURS-1", "poor_package", {"introduced": "2.0"}, {"fixed": "2.6"}, aliases=["CVE-0000-1"])
    assert audit(written(tmp_path, *CONTROL_RECORDS, poor), {"a.lock": LOCK}, {}) == FOUND
    told = capsys.readouterr().out
    assert "poor-package==2.5 (a.lock): OURS-1 = CVE-0000-1 poor_package is at fault." in told
    assert "harmless" not in told


def test_nothing_known_is_clean_only_where_the_controls_were_seen(tmp_path, capsys):
    assert audit(written(tmp_path, *CONTROL_RECORDS), {"a.lock": LOCK}, {}) == CLEAN
    assert "Control: 3 of" in capsys.readouterr().out
    (tmp_path / "OURS-CONTROL-1.json").unlink()
    assert audit(Directory(tmp_path, 14), {"a.lock": LOCK}, {}) == NOT_AUDITED
    assert "pyyaml==5.1" in capsys.readouterr().err


@pytest.mark.parametrize("lock", ["", "# nothing\n", "flask>=2\n"])
def test_a_lock_without_pins_is_not_audited(tmp_path, lock, capsys):
    assert audit(written(tmp_path, *CONTROL_RECORDS), {"a.lock": LOCK, "b.lock": lock}, {}) == NOT_AUDITED
    assert "b.lock" in capsys.readouterr().err


def test_an_old_copy_and_an_empty_one_are_not_audited(tmp_path, capsys):
    old = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    source = written(tmp_path, *(one | {"modified": old} for one in CONTROL_RECORDS))
    assert audit(source, {"a.lock": LOCK}, {}) == NOT_AUDITED
    assert "30 days old" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert audit(Directory(tmp_path / "empty", 14), {"a.lock": LOCK}, {}) == NOT_AUDITED


@pytest.mark.parametrize("content", ["[]", "{", '{"id": "x", "affected": [{"package": {"ecosystem": "PyPI"}}]}'])
def test_a_file_that_is_no_record_is_no_silence(tmp_path, content):
    (tmp_path / "broken.json").write_text(content, "utf-8")
    with pytest.raises(NothingKnown, match=r"broken\.json"):
        written(tmp_path, *CONTROL_RECORDS).vulnerabilities([Pin("harmless", "1.0.0")])


@pytest.mark.parametrize(
    ("events", "affected", "sound"),
    [
        ([{"introduced": "0"}, {"fixed": "1.2"}], ["0.1", "1.2rc1", "1.1.9"], ["1.2", "1.10"]),
        ([{"introduced": "1.0"}, {"last_affected": "1.2"}], ["1.0", "1.2", "1.2.0"], ["0.9", "1.2.1"]),
        ([{"introduced": "3"}], ["3", "4!0", "9"], ["2.9"]),
        ([{"introduced": "1"}, {"fixed": "2"}, {"introduced": "3"}, {"fixed": "4"}], ["1.5", "3.1"], ["2.5", "4"]),
        ([{"introduced": "1"}, {"fixed": "2"}], ["no version at all"], ["2.0+local"]),
    ],
)
def test_ranges_are_compared_as_versions_and_not_as_texts(events, affected, sound):
    (advisory,) = read_advisories(record("OURS-2", "p", *events))
    assert [version for version in affected if not advisory.affects(version)] == []
    assert [version for version in sound if advisory.affects(version)] == []


def test_versions_named_one_by_one_and_withdrawn_records_and_other_ecosystems():
    listed = record("OURS-3", "p")
    listed["affected"][0]["versions"] = ["1.0.post1"]
    (advisory,) = read_advisories(listed)
    assert advisory.affects("1.0.post1")
    assert not advisory.affects("1.0")
    assert list(read_advisories(listed | {"withdrawn": NOW})) == []
    listed["affected"][0]["package"]["ecosystem"] = "npm"
    assert list(read_advisories(listed)) == []


def test_what_is_accepted_needs_a_reason_and_comes_back_when_its_time_has_passed(tmp_path, capsys):
    accepted = '[[accepted]]\nid = "CVE-0000-1"\nreason = "Not called."\nuntil = 2030-01-31\n'
    poor = record("OURS-1", "poor-package", {"introduced": "0"}, aliases=["CVE-0000-1"])
    source = written(tmp_path, *CONTROL_RECORDS, poor)
    assert audit(source, {"a.lock": LOCK}, accepted_in(accepted, date(2030, 1, 31))) == CLEAN
    assert "accepted: Not called. (until 2030-01-31)" in capsys.readouterr().out
    assert audit(source, {"a.lock": LOCK}, accepted_in(accepted, date(2030, 2, 1))) == FOUND
    with pytest.raises(ValueError, match="until"):
        accepted_in('[[accepted]]\nid = "x"\nreason = "y"\n', date(2030, 1, 1))


class OsvService(BaseHTTPRequestHandler):
    """Answers as OSV's API does, one vulnerability a page."""

    known: ClassVar[dict[str, list[str]]] = {
        str(pin): [f"OURS-{pin.package}", f"CVE-{pin.package}"] for pin in CONTROLS
    }

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        results = [self.page(query) for query in asked["queries"]]
        body = json.dumps({"results": results}).encode()
        self.send_response(200 if self.path == "/v1/querybatch" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def page(self, query: dict[str, Any]) -> dict[str, Any]:
        assert query["package"]["ecosystem"] == "PyPI"
        known = self.known.get(f"{query['package']['name']}=={query['version']}", [])
        place = int(query.get("page_token", 0))
        more = {"next_page_token": str(place + 1)} if place + 1 < len(known) else {}
        return {"vulns": [{"id": known[place], "modified": NOW}], **more} if known else {}

    def log_message(self, *_: Any) -> None:
        pass


class BlindService(OsvService):
    known: ClassVar[dict[str, list[str]]] = {}


class BrokenService(OsvService):
    def page(self, query: dict[str, Any]) -> dict[str, Any]:
        return {"vulns": [{}]}


@contextmanager
def serving(kind: type[OsvService]) -> Iterator[Service]:
    with HTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Service(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def test_the_service_is_asked_for_every_pin_and_every_page(capsys):
    with serving(OsvService) as service:
        assert audit(service, {"a.lock": LOCK}, {}) == CLEAN
        assert audit(service, {"a.lock": LOCK + "jinja2==2.4.1\n"}, {}) == FOUND
    told = capsys.readouterr().out
    assert "jinja2==2.4.1 (a.lock): OURS-jinja2" in told
    assert "jinja2==2.4.1 (a.lock): CVE-jinja2" in told


@pytest.mark.parametrize("kind", [BlindService, BrokenService])
def test_a_service_that_knows_nothing_or_answers_nonsense_is_no_clean_result(kind):
    with serving(kind) as service:
        assert audit(service, {"a.lock": LOCK}, {}) == NOT_AUDITED


def test_a_service_that_cannot_be_reached_is_no_clean_result(capsys):
    assert main(["--service", "http://127.0.0.1:9"]) == NOT_AUDITED
    assert "NOTHING WAS AUDITED" in capsys.readouterr().err


def test_every_pin_of_our_locks_is_read():
    for path in (ROOT / "requirements").glob("*.lock"):
        text = path.read_text("utf-8")
        named = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
        assert len(pins_of(text)) == len({line.split(" ")[0] for line in named}) > 2, path.name
    assert isinstance(accepted_in(ACCEPTED.read_text("utf-8"), date(2000, 1, 1)), dict)
