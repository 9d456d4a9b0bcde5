"""Sessions of the pages: signed, bounded in time, for pages only, and ended with their key."""

from datetime import UTC, datetime

import pytest

from judge_server.core.errors import Unauthorized
from judge_server.server.middleware.authentication import KeyRing
from judge_server.server.middleware.session import COOKIE, LASTS_SECONDS, Sessions, cookie_in, is_page, opens
from judge_server.store.api_key_records import ApiKeyRecords
from tests.served import served
from tests.server.keys import bearer, demanding, key_of
from tests.submissions import rubric, submission

SECRET = b"s" * 32


def form(client, path="/signin"):
    """The token in a page's form."""
    return client.get(path).text.partition('name="token" value="')[2].partition('"')[0]


def signed_in(client, text):
    return client.post("/signin", data={"token": form(client), "key": text})


def test_a_cookie_is_read_until_it_ends_and_by_the_same_secret_only():
    sessions = Sessions(SECRET)
    cookie = sessions.begun("0123456789ab", now=1_000)
    assert sessions.read(cookie, now=1_000 + LASTS_SECONDS - 1).key_id == "0123456789ab"
    assert sessions.read(cookie, now=1_000 + LASTS_SECONDS) is None
    assert Sessions(b"t" * 32).read(cookie, now=1_000) is None


@pytest.mark.parametrize("cookie", ["", ".", "..", "0123456789ab.9999999999.", "a.b.c", "é.1.2", "0" * 5_000])
def test_other_cookies_are_no_session(cookie):
    assert Sessions(SECRET).read(cookie) is None


def test_a_changed_cookie_is_no_session():
    sessions = Sessions(SECRET)
    cookie = sessions.begun("0123456789ab")
    for place in range(0, len(cookie), 7):
        other = "0" if cookie[place] != "0" else "1"
        assert sessions.read(cookie[:place] + other + cookie[place + 1 :]) is None


def test_only_our_cookie_of_a_request_is_read():
    assert cookie_in([(b"cookie", f"a=b; {COOKIE}=x.1.y; c=d".encode())]) == "x.1.y"
    assert cookie_in([(b"cookie", b"\xff\x00;;=")]) == ""
    assert cookie_in([]) == ""


def test_routes_of_programs_are_no_pages():
    assert all(map(is_page, ("/", "/try", "/rubrics/a/b@1.0.0", "/judgments/x")))
    assert not any(map(is_page, ("/v1/judgments", "/tryout", "/metrics", "/readyz")))


def test_a_session_opens_the_reports_to_which_pages_lead_and_changes_nothing_there():
    text, key = key_of("ann", "author")
    reports = ("/v1/exams/exam_0/report", "/v1/improvements/imp_0/files/report.html")
    assert all(opens("GET", path) for path in (*reports, "/judges"))
    assert not any(opens("DELETE", path) for path in reports)
    assert not any(opens("GET", path) for path in ("/v1/exams", "/v1/exams/exam_0", "/v1/exams/a/b/report"))
    with served(demanding(key)) as client:
        assert {client.get(path).status_code for path in reports} == {401}
        signed_in(client, text)
        assert {client.get(path).status_code for path in reports} == {404}


def test_a_page_leads_nowhere_that_its_key_may_not_open():
    text, key = key_of("ann", "label")
    with served(demanding(key)) as client:
        signed_in(client, text)
        for path in (
            "/",
            "/rubrics/writing/summary",
            "/judgments",
            "/calibrations",
            "/calibrations/improve",
            "/judges",
            "/label",
        ):
            page = client.get(path)
            assert page.status_code == 200, path
            for start in ("/try", "/drafts", "/jobs", "/keys"):
                assert f'href="{start}' not in page.text, path
        assert "Measure the judge" not in client.get("/calibrations").text


def test_without_a_key_a_page_leads_to_the_sign_in_and_a_wrong_key_is_told():
    _, key = key_of("ann")
    with served(demanding(key)) as client:
        answer = client.get("/judgments")
        assert (answer.status_code, answer.headers["location"]) == (303, "/signin?next=%2Fjudgments")
        refused = signed_in(client, "jsk_wrong")
        assert (refused.status_code, "malformed" in refused.text) == (401, True)
        assert "set-cookie" not in refused.headers


def test_a_session_opens_pages_and_no_route_of_programs():
    text, key = key_of("ann", "score")
    with served(demanding(key)) as client:
        answer = signed_in(client, text)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert "SameSite=strict" in answer.headers["set-cookie"]
        assert text not in answer.headers["set-cookie"]
        assert "ann" in client.get("/").text
        assert client.get("/v1/judgments").status_code == 401
        assert client.get("/v1/judgments", headers=bearer(text)).status_code == 200
        client.post("/signout", data={"token": form(client, "/")})
        assert client.get("/").status_code == 303


def test_a_form_without_the_token_of_its_session_is_refused():
    text, key = key_of("ann", "score")
    with served(demanding(key)) as client:
        before = form(client)
        signed_in(client, text)
        for token in ("", "x", before):
            answer = client.post("/try", data={"token": token, "rubric": "demo", "prompt": "p", "response": "r"})
            assert answer.status_code == 403
            assert "does not belong to this session" in answer.text


def test_a_key_without_the_scope_sees_a_page_that_says_what_to_ask_for():
    text, key = key_of("reader", "label")
    with served(demanding(key)) as client:
        signed_in(client, text)
        answer = client.get("/try")
    assert answer.status_code == 403
    assert "requires an API key of scope score" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_the_navigation_holds_what_the_key_may_open():
    text, key = key_of("reader", "label")
    with served(demanding(key)) as client:
        signed_in(client, text)
        shown = client.get("/label").text
    assert [f'href="{path}"' in shown for path in ("/label", "/judgments", "/try", "/drafts", "/keys")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_groups_runs_and_jobs_of_another_key_stay_invisible():
    (ann, ann_key), (bob, bob_key) = key_of("ann", "score"), key_of("bob", "score")
    with served(demanding(ann_key, bob_key)) as client:
        item = submission(rubric=rubric(), run="secret-run", group="secret-group", step=1)
        client.post("/v1/score", json=item, headers=bearer(ann)).raise_for_status()
        job = client.post("/v1/jobs", json={"items": [item]}, headers=bearer(ann)).json()["id"]
        signed_in(client, bob)
        assert "secret-run" not in client.get("/runs").text
        assert client.get("/runs/one", params={"run": "secret-run"}).status_code in (403, 404)
        assert "0 responses" in client.get("/groups", params={"group": "secret-group"}).text
        assert job not in client.get("/jobs").text
        assert client.get(f"/jobs/{job}").status_code == 404
        assert "secret-group" not in client.get("/judgments", params={"run": "secret-run"}).text.partition("<table")[2]


def test_a_page_shows_a_key_its_own_judgments_only():
    (ann, ann_key), (bob, bob_key) = key_of("ann", "score"), key_of("bob", "score")
    (eve, eve_key) = key_of("eve", "score", "read_all")
    with served(demanding(ann_key, bob_key, eve_key)) as client:
        judged = client.post("/v1/score", json=submission(rubric=rubric()), headers=bearer(ann)).json()
        seen = {}
        for name, text in (("ann", ann), ("bob", bob), ("eve", eve)):
            client.cookies.clear()
            signed_in(client, text)
            there = [client.get(path).text for path in ("/", "/judgments")]
            whole = client.get(f"/judgments/{judged['id']}").status_code
            seen[name] = [*(judged["id"] in text for text in there), whole]
    assert seen == {"ann": [True, True, 200], "bob": [False, False, 404], "eve": [True, True, 200]}


async def test_a_revoked_key_ends_its_sessions():
    _, key = key_of("ann")
    _, revoked = key_of("bob", revoked_at=datetime(2020, 1, 1, tzinfo=UTC))
    ring = KeyRing([key, revoked], ApiKeyRecords(None, None))
    assert await ring.of_session(key.id) == key
    with pytest.raises(Unauthorized, match="was revoked"):
        await ring.of_session(revoked.id)


@pytest.mark.parametrize(
    ("asked", "reached"),
    [
        ("/label/item?set=ward&item=a%2Fb", "/label/item?set=ward&item=a%2Fb"),
        ("/judgments", "/judgments"),
        *((other, "/") for other in ("", "//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example")),
        *((other, "/") for other in ("/v1/judgments", "/signout", "/label\n/x", "javascript:alert(1)", "/label\u202e")),
    ],
)
def test_after_signing_in_one_is_where_one_was_and_never_elsewhere(asked, reached):
    text, key = key_of("ann", "score")
    with served(demanding(key)) as client:
        data = {"token": form(client), "key": text, "next": asked}
        answer = client.post("/signin", data=data)
        assert (answer.status_code, answer.headers["location"]) == (303, reached)
