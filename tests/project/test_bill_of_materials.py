"""The bill of materials names every locked package, and the provenance every built file."""

import hashlib
import json
import re

import importlib_metadata  # noqa: F401  imported anywhere in a process, it answers importlib.metadata with stricter messages
import pytest

from deploy.bill_of_materials import LOCKS, bill, locked, provenance
from tests.project.repository import ROOT

LOCK = """\
# via make lock
anyio==4.1.0 \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
    # via
    #   httpx
    #   starlette
httpx==0.28.1 \\
    --hash=sha256:{c}
    # via judge-server (pyproject.toml)
""".format(a="a" * 64, b="b" * 64, c="c" * 64)


def test_a_lock_is_read_with_digests_and_what_asked_for_each_package():
    first, second = locked(LOCK)
    assert (first.name, first.version, first.digests) == ("anyio", "4.1.0", ("a" * 64, "b" * 64))
    assert first.wanted_by == ("httpx", "starlette")
    assert second.wanted_by == ("judge-server",)


@pytest.mark.parametrize("lock", LOCKS.values())
def test_every_locked_package_is_named_once_with_its_version_and_digests(lock):
    document = bill(lock)
    text = (ROOT / lock).read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", text, flags=re.MULTILINE)
    assert len(document["components"]) == len(pins) > 50
    assert {one["version"] for one in document["components"]} == {version for _, version in pins}
    assert all(one["properties"] for one in document["components"])
    references = {one["bom-ref"] for one in document["components"]} | {document["metadata"]["component"]["bom-ref"]}
    assert {one["ref"] for one in document["dependencies"]} == references
    assert all(part in references for one in document["dependencies"] for part in one["dependsOn"])
    needed = next(one for one in document["dependencies"] if one["ref"].startswith("pkg:generic/judge-server@"))
    assert len(needed["dependsOn"]) > 20


def test_the_same_commit_gives_the_same_bytes():
    first, second = (json.dumps(bill("requirements/server.lock"), sort_keys=True) for _ in range(2))
    assert first == second


def test_the_provenance_names_the_files_by_their_digests(tmp_path):
    (tmp_path / "a-1-py3-none-any.whl").write_bytes(b"wheel")
    (tmp_path / "a-1.tar.gz").write_bytes(b"archive")
    (tmp_path / "other.txt").write_bytes(b"no distribution")
    statement = provenance(tmp_path, "f" * 40)
    assert {one["name"]: one["digest"]["sha256"] for one in statement["subject"]} == {
        "a-1-py3-none-any.whl": hashlib.sha256(b"wheel").hexdigest(),
        "a-1.tar.gz": hashlib.sha256(b"archive").hexdigest(),
    }
    assert statement["predicate"]["buildDefinition"]["externalParameters"]["commit"] == "f" * 40


def test_provenance_of_nothing_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="no wheel"):
        provenance(tmp_path, "f" * 40)
