"""Texts that would run if a page took them for markup: in every place that shows a text, in a real browser."""

import json
from urllib.parse import urlencode

from tests.served import judged_by, served, settings_of, until
from tests.server.pages.browser import visit
from tests.server.pages.test_calibration import calibrated, posted
from tests.server.pages.test_editor import begun, kept
from tests.server.pages.test_in_a_browser import address_of
from tests.server.pages.test_labelling import completed
from tests.server.pages.test_pages import token
from tests.stub_judge import StubJudge, faithful, text
from tests.submissions import rubric, submission

MARKUP = "img, script, iframe, math, base, object, form[action^=javascript], [onload], [onerror], [onfocus], [ontoggle]"


def unharmed(visitor, path):
    """The page, or its refusal, shows with everything unfolded, and nothing of a text became an element or has run."""
    assert visitor.page.goto(f"{visitor.address}{path}").status < 500, path
    shown_unharmed(visitor, path)


def shown_unharmed(visitor, told):
    visitor.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert visitor.page.locator(f":is(main, header) :is({MARKUP})").count() == 0, told
    assert visitor.page.evaluate("typeof window.ran") == "undefined", told
    assert [one for one in visitor.faults if "responded with a status of 4" not in one] == [], told


def named(text):
    """As a name may be: printable, not long."""
    return "".join(letter for letter in text if letter.isprintable())[:90]


def test_two_hundred_hostile_texts_run_nothing(chromium):
    """As titles, statements, prompts, responses, references, names of runs and groups, and as the judge's reasons."""
    texts = hostile(200)
    rows = [texts[start : start + 8] for start in range(0, 200, 8)]
    reasons = iter(row[7] for row in rows)

    def judge(body):
        return text(json.dumps({"reason": next(reasons, texts[0]), "verdict": "Yes"}))

    with (
        StubJudge(judge) as stub,
        served(settings_of(stub.specification, judge={"mode": "reason"})) as client,
        visit(chromium, address_of(client)) as visitor,
    ):
        for number, row in enumerate(rows):
            title, statement, prompt, response, reference, run, group, _ = row
            criterion = {"id": "c", "statement": statement, "points": 1}
            listed = {"id": f"hostile/n{number}", "version": "1.0.0", "title": title[:100], "criteria": [criterion]}
            item = submission(
                rubric=listed, prompt=prompt, response=f"{response} and 1931 words", reference=reference,
                run=run[:90], group=group[:90], id=f"{number}{run[:80]}",
            )  # fmt: skip
            judged = client.post("/v1/score", json=item).raise_for_status().json()
            assert judged["verdicts"][0]["reason"]
            visitor.open(f"/judgments/{judged['id']}")
            assert (
                visitor.page.locator("main img, main svg, main script, main iframe, main math, main base").count() == 0
            )
            if number % 5 == 0:
                visitor.open(f"/groups?{urlencode({'group': group[:90], 'run': run[:90]})}")
                visitor.open(f"/judgments?{urlencode({'q': prompt, 'run': run[:90]})}")
        visitor.open("/judgments?limit=200")
        assert visitor.page.evaluate("typeof window.ran") == "undefined"
        assert visitor.faults == []


def test_hostile_labels_and_notes_run_nothing_in_a_calibration(chromium):
    """In disagreements: prompts, responses, items, annotators and notes."""
    texts = iter(hostile(200))
    with served(settings_of("baseline")) as client, visit(chromium, address_of(client)) as visitor:
        people = [named(next(texts)) for _ in range(2)]
        items = enumerate(zip(texts, texts, texts, texts, strict=False))
        labels = [
            {
                "item": f"{n} {named(item)}", "criterion": "water", "annotator": person, "prompt": prompt,
                "response": response, "rationale": note, "label": ("yes", "no")[(n + k) % 2],
            }
            for n, (item, prompt, response, note) in items
            for k, person in enumerate(people)
        ]  # fmt: skip
        client.post("/v1/labels", json={"label_set": "hostile", "labels": labels}).raise_for_status()
        path = calibrated(client, posted(client), labels="hostile", gate="yes")
        unharmed(visitor, path)
        assert visitor.page.get_by_role("button", name="Change the wording").count() > 10
        visitor.page.get_by_role("button", name="Change the wording").first.click()
        unharmed(visitor, visitor.page.url.removeprefix(visitor.address).partition("#")[0])
        unharmed(visitor, "/label")
        unharmed(visitor, "/calibrations")


def test_hostile_uploads_names_and_tags_run_nothing(chromium):
    """As files to label and their names, pairs, notes, drafts, tags, runs, keys, imports, and in what addresses say."""
    texts = hostile(200)
    with judged_by(faithful(0.73), authentication="off") as (client, _), visit(chromium, address_of(client)) as visitor:
        form = {"token": token(client, "/label"), "rubric": "safety/sycophancy", "annotator": texts[20][:90]}
        rows = "".join(json.dumps({"prompt": texts[n], "response": texts[n + 40]}) + "\n" for n in range(20))
        file = {"file": (f"{texts[2][:60]}.jsonl", rows.encode())}
        shown = client.post(
            "/label", data=form | {"set": "ward/file", "from": "file"}, files=file, follow_redirects=True
        )
        for number in range(6):
            following = completed(client, shown, note=texts[60 + number])
            unharmed(visitor, f"{shown.url.raw_path.decode()}")
            shown = following
        for number in range(4):
            one = submission(
                rubric=rubric(), prompt=texts[80], response=texts[81 + number], run=texts[90][:90], step=1,
                group=texts[91][:90], tags=[texts[92 + number][:60]], policy=texts[96][:60], id=texts[97 + number][:90],
            )  # fmt: skip
            client.post("/v1/score", json=one).raise_for_status()
        again = {"token": token(client, "/label"), "rubric": "test/listed", "annotator": "ann"}
        client.post("/v1/rubrics", content=json.dumps(rubric())).raise_for_status()
        pairs = client.post("/label", data=again | {"set": "ward/pairs", "from": "pairs"}, files={"file": ("", b"")})
        unharmed(visitor, pairs.headers["location"])
        draft = begun(client, id="ward/hostile")
        kept(client, draft, act="form", title=texts[100], description=texts[101], **{"c0.statement": texts[102]})
        for number in range(6):
            fields = {"prompt": texts[110 + number], "response": texts[120 + number], "act": "add"}
            client.post(f"{draft}/samples", data={"token": again["token"], "revision": "9", "editor": "e"} | fields)
        unharmed(visitor, "/drafts")
        unharmed(visitor, draft)
        for path in ("/", "/runs", "/judgments", "/label", "/rubrics"):
            unharmed(visitor, path)
        asked = {"run": texts[90][:90]}
        unharmed(visitor, f"/runs/one?{urlencode(asked)}")
        for number in range(130, 140):
            named = texts[number][:60]
            unharmed(visitor, f"/judgments?{urlencode({'tag': named, 'rubric': named, 'q': named})}")
            unharmed(visitor, f"/groups?{urlencode({'group': named, 'run': named})}")
        for path in ("/runs/one", "/calibrations/compare", "/rubrics/diff", "/label/item", "/jobs"):
            query = urlencode(dict.fromkeys(("run", "old", "new", "set", "rubric", "annotator", "status"), texts[141]))
            unharmed(visitor, f"{path}?{query}")
        items = [submission(rubric=texts[number][:200]) for number in range(142, 150)]
        job = client.post("/v1/jobs", json={"items": items}).raise_for_status().json()["id"]
        until(lambda: client.get(f"/v1/jobs/{job}").json()["status"] == "done", 120)
        unharmed(visitor, f"/jobs/{job}")
        assert "Item 8: " in visitor.page.inner_text("main")
        visitor.open("/keys")
        visitor.page.get_by_label("Name of the holder").fill(texts[150][:80])
        visitor.page.get_by_label("score").check()
        visitor.page.get_by_role("button", name="Make a key").click()
        visitor.page.get_by_role("alert").wait_for()
        shown_unharmed(visitor, "/keys")
        visitor.open("/label")
        visitor.page.get_by_text("Labels that people gave elsewhere").click()
        visitor.page.get_by_label("Name of the set").fill("ward/import")
        content = f"item,criterion,annotator,label\n{','.join(json.dumps(one) for one in texts[160:164])}\n"
        visitor.page.get_by_label("File of labels").set_input_files(
            {"name": "labels.csv", "mimeType": "text/csv", "buffer": content.encode()}
        )
        visitor.page.get_by_role("button", name="Look at the file").click()
        visitor.page.wait_for_url("**/label/import")
        shown_unharmed(visitor, "/label/import")


def hostile(count):
    """Texts that would set ``window.ran`` or open a dialog if a page took any of them for markup."""
    acts = ["window.ran=1", "alert(1)", "this.ownerDocument.defaultView.ran=1", "fetch('//example.com')", "print()"]
    shapes = [
        "<script>{0}</script>",
        "<img src=x onerror={0}>",
        '"><svg onload={0}>',
        "'-({0})-'",
        "</textarea><script>{0}</script>",
        "</pre><iframe srcdoc='<script>{0}</script>'></iframe>",
        "<a href='javascript:{0}' autofocus onfocus={0}>x</a>",
        "<details open ontoggle={0}>",
        "<style>@import '//example.com/{0}'</style>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror={0}>",
        "{{{{ {0} }}}}{{% raw %}}",
        "</title><script>{0}</script>",
        "<!--><script>{0}</script>-->",
        "<meta http-equiv=refresh content='0;url=javascript:{0}'>",
        "<base href='//example.com/{0}'>",
        "<object data='javascript:{0}'>",
        "\u2028<body onload={0}>",
        "<input autofocus onfocus={0} value='",
        "<form action='javascript:{0}'><button>x</button></form>",
        "<link rel=stylesheet href='//example.com/{0}.css'>",
    ]
    made = [shape.format(act) for act in acts for shape in shapes]
    made += [text.upper() if number % 2 else text.replace("<", "<\t") for number, text in enumerate(made)]
    assert len(made) >= count
    return made[:count]
