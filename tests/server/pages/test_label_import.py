"""Labels that people gave elsewhere are imported on a page: stored whole, or every row named that cannot be read."""

import re
from html import unescape

import pytest
from typer.testing import CliRunner

from judge_server.cli import app
from tests.served import judged_by
from tests.server.pages.test_pages import Page, sound, token
from tests.stub_judge import faithful

ROWS = "".join(f"i{n},water,{who},{'yes' if n % 2 else 'no'},p{n},r{n}\n" for n in range(20) for who in ("ann", "bob"))
FILE = f"item,criterion,annotator,label,prompt,response\n{ROWS}".encode()


@pytest.fixture(scope="module")
def client():
    with judged_by(faithful(0.73)) as (client, _):
        yield client


OTHER_NAMES = FILE.replace(b"item,criterion,annotator,label,", b"example,aspect,rater,verdict,")


def looked_at(client, content=FILE, name="labels.csv", **fields):
    form = {"token": token(client, "/label"), "set": "ward/sheet"} | fields
    return client.post("/label/import", data=form, files={"file": (name, content)})


def form_of(answer):
    """The fields of the page that shows how the file is read."""
    text = answer.text
    found = re.findall(r'<input [^>]*name="([^"]*)"[^>]*value="([^"]*)"', text)
    chosen = re.findall(r'<select [^>]*name="([^"]*)">(.*?)</select>', text, re.DOTALL)
    found += [(name, next(iter(re.findall(r'value="([^"]*)" selected', options)), "")) for name, options in chosen]
    return {name: unescape(value) for name, value in found}


def agreed(client, answer, act="keep", **changes):
    return client.post("/label/import", data=form_of(answer) | {"act": act} | changes)


def imported(client, content=FILE, name="labels.csv", **fields):
    answer = looked_at(client, content, name, **fields)
    return agreed(client, answer) if answer.status_code == 200 else answer


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


def test_nothing_is_stored_before_somebody_has_seen_rows_and_columns(client):
    answer = looked_at(client, set="ward/looked")
    page = sound(answer)
    assert "Nothing is stored yet. labels.csv would become ward/looked: 40 labels of 20 items" in page.text
    assert "i0 water ann no" in page.text
    assert client.get("/v1/label-sets/ward/looked").status_code == 404
    assert "is stored" in sound(agreed(client, answer)).text
    assert client.get("/v1/label-sets/ward/looked").json()["total"] == 40


def test_columns_with_other_names_are_guessed_and_can_be_corrected(client):
    answer = looked_at(client, OTHER_NAMES, set="ward/guessed")
    assert answer.status_code == 200
    assert sound(answer).text.count(" guessed ") == 4
    fields = form_of(answer)
    found = {name: fields[f"column.{name}"] for name in ("item", "criterion", "annotator", "label")}
    assert found == {"item": "example", "criterion": "aspect", "annotator": "rater", "label": "verdict"}
    wrong = agreed(client, answer, act="look", **{"column.criterion": "", "constant.criterion": "thirst"})
    assert "thirst: " in sound(wrong).text
    assert client.get("/v1/label-sets/ward/guessed").status_code == 404
    again = agreed(client, wrong)
    assert "ward/guessed is stored: 40 labels" in sound(again).text
    assert {one["criterion"] for one in client.get("/v1/label-sets/ward/guessed").json()["labels"]} == {"thirst"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"column.annotator": "verdict"}, "The column 'verdict' is given for "),
        ({"column.criterion": "prompt", "column.prompt": ""}, "it is no criterion"),
        ({"column.criterion": "", "constant.criterion": ""}, "the column 'criterion' is missing"),
        ({"column.annotator": "", "constant.annotator": "ann"}, "twice"),
        ({"column.role": "rater", "column.annotator": "", "constant.annotator": "ann"}, "role"),
    ],
    ids=["one column twice", "texts as criteria", "no criterion", "everybody as one", "a name as a role"],
)
def test_columns_that_would_make_a_figure_wrong_are_refused(client, changes, told):
    answer = agreed(client, looked_at(client, OTHER_NAMES, set="ward/refused"), **changes)
    assert answer.status_code == 422, answer.text
    assert told in sound(answer).text
    assert client.get("/v1/label-sets/ward/refused").status_code == 404


def test_the_page_guesses_what_the_command_line_guesses(client, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes(OTHER_NAMES)
    told = re.search("a guess: .*", CliRunner().invoke(app, ["calibrate", "import", str(path)]).output)[0]
    fields = form_of(looked_at(client, OTHER_NAMES, set="ward/same"))
    guessed = {name.removeprefix("column."): fields[name] for name in fields if name.startswith("column.")}
    for name, column in re.findall(r"--column (\w+)=(\w+)", told):
        assert guessed[name] == column
    assert told.count("--column") == 4
