"""Headers that keep browsers from running, framing, guessing or keeping answers; and the one page that runs scripts."""

import base64
import hashlib
import re
from urllib.parse import urljoin

import pytest

from judge_server.server.middleware.headers import HEADERS
from tests.submissions import checking, submission

PATHS = ["/healthz", "/v1/judges", "/openapi.json", "/metrics", "/no/such/route", "/v1/judgments/jdg_unknown"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_them(client, path):
    answer = client.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_judgments_and_refusals_carry_them(client):
    answers = [
        client.post("/v1/score", json=submission(rubric=checking())),
        client.post("/v1/score", content=b"{", headers={"Content-Type": "application/json"}),
        client.post("/v1/score", json=submission(), headers={"Host": "evil.example"}),
        client.post("/v1/score", content=b"x", headers={"Content-Encoding": "gzip"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 421, 415]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert len(answer.headers.get_list("content-security-policy")) == 1


def test_the_page_runs_exactly_the_scripts_that_its_policy_names(client):
    answer = client.get("/docs")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    (own,) = re.findall(r"<script>(.*?)</script>", answer.text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
    assert policy["script-src"].split() == ["'self'", f"'sha256-{digest}'"]
    assert answer.text.count("<script") == 2
    assert "unsafe" not in policy["script-src"]


@pytest.mark.parametrize("prefix", ["", "/judge", "/a/b"])
def test_the_page_finds_all_that_it_needs_on_this_server_also_below_a_prefix(client, prefix):
    """A proxy takes the prefix away; what the page names must lead back to it."""
    page = f"https://proxy.example{prefix}/docs"
    text = client.get("/docs").text
    named = re.findall(r'(?:src|href)="(?!data:)([^"]+)"|fetch\("([^"]+)"\)', text)
    found = [urljoin(page, one or other) for one, other in named]
    assert len(found) == 3
    for address in found:
        assert address.startswith(f"https://proxy.example{prefix}/")
        answer = client.get(address.removeprefix(f"https://proxy.example{prefix}"))
        assert answer.status_code == 200
        assert len(answer.content) > 10_000
    assert not re.search(r"https?://", text)


def test_the_files_of_swagger_ui_are_those_of_its_release(client):
    digests = {
        "swagger-ui-bundle.js": "gjRm0bEPMeTmMh5jT2cHccIwCUZSTd8YC+j0d0sXw0MdGEfScduGpSyF3ZSSLkX9",
        "swagger-ui.css": "WlYgdmXYOOBWL5apwjDEZwN+U3HmXSSu5R6V5aGxEcf7z+KuRNwBhoxKVN1i3D5I",
    }
    for name, digest in digests.items():
        content = client.get(f"/docs/{name}").content
        assert base64.b64encode(hashlib.sha384(content).digest()).decode() == digest


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "GZIP", "zstd"])
def test_a_compressed_body_is_refused_before_it_is_read(client, encoding):
    refused = client.post("/v1/score", content=b"\x1f\x8b\x08", headers={"Content-Encoding": encoding})
    assert refused.status_code == 415
    assert refused.json()["type"] == "urn:judge-server:error:unsupported_encoding"


def test_identity_is_no_encoding(client):
    answer = client.post("/v1/score", json=submission(rubric=checking()), headers={"Content-Encoding": "identity"})
    assert answer.status_code == 200
