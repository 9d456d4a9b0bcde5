"""Labels that people gave elsewhere are imported on a page: stored whole, or every row named that cannot be read."""

import pytest

from tests.served import judged_by
from tests.server.pages.test_pages import Page, sound, token
from tests.stub_judge import faithful

ROWS = "".join(f"i{n},water,{who},{'yes' if n % 2 else 'no'},p{n},r{n}\n" for n in range(20) for who in ("ann", "bob"))
FILE = f"item,criterion,annotator,label,prompt,response\n{ROWS}".encode()


@pytest.fixture(scope="module")
def client():
    with judged_by(faithful(0.73)) as (client, _):
        yield client


def imported(client, content=FILE, name="labels.csv", **fields):
    form = {"token": token(client, "/label"), "set": "ward/sheet"} | fields
    return client.post("/label/import", data=form, files={"file": (name, content)})


def test_a_spreadsheet_becomes_a_set_that_can_be_measured(client):
    answer = imported(client, test="third")
    assert answer.status_code == 200, answer.text
    page = sound(answer)
    assert "ward/sheet is stored: 40 labels of 20 items with 20 prompts" in page.text
    dev = client.get("/v1/label-sets/ward/sheet").json()
    assert 0 < dev["total"] < 40  # the rest is locked
    shown = client.get(next(one["href"] for one in page.all("a") if "/calibrations?" in one["href"]))
    assert '<option value="ward/sheet" selected' in shown.text


def test_every_row_that_cannot_be_read_is_named_and_nothing_is_stored(client):
    answer = imported(client, FILE.replace(b"i3,water,ann,yes", b"i3,water,ann,perhaps"), set="ward/broken")
    assert answer.status_code == 422
    told = sound(answer).text
    assert "Nothing is imported." in told
    assert "perhaps" in told
    assert client.get("/v1/label-sets/ward/broken").status_code == 404


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"set": "no name"}, "The set has no name"),
        ({"content": b""}, "No file is chosen"),
        ({"rubric": "writing/summary"}, "is not in writing/summary"),
        ({"rubric": "no/such"}, "no/such"),
        ({"content": b"<script>window.ran=1</script>,b\n1,2\n"}, "Nothing is imported"),
    ],
    ids=["name", "empty", "criteria", "rubric", "columns"],
)
def test_what_cannot_be_imported_says_why(client, fields, told):
    answer = imported(client, **fields)
    assert answer.status_code in (404, 422)
    assert told in sound(answer).text
    assert not Page(answer.text).all("script")
