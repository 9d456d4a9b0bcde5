"""Settings become judges, models, rubrics, a store and a scorer."""

import os
from math import log

import pytest

from judge_server.core.errors import BadConfiguration, JudgeServerError, ModelUnavailable
from judge_server.core.judge import JudgeSpecification
from judge_server.core.submission import Submission
from judge_server.judging.answer import Terms
from judge_server.judging.prompt import PromptWriter
from judge_server.models.protocol import Completion, TokenProbability
from judge_server.settings.settings import Settings
from judge_server.wiring.archive import open_archive
from judge_server.wiring.judges import build_judges
from judge_server.wiring.service import open_service
from tests.judging.values import binary, material
from tests.scripted_model import ScriptedModel
from tests.served import settings_of
from tests.stub_judge import StubJudge
from tests.submissions import checking, submission


def judges(**fields: dict) -> dict[str, JudgeSpecification]:
    return {name: JudgeSpecification(name=name, **given) for name, given in fields.items()}


async def test_without_any_judge_the_baseline_judges_and_says_so():
    async with open_service(Settings()) as service:
        reference = service.judge_registry.named(None).reference
        judgment = await service.scorer.score(Submission.model_validate(submission()))
    assert reference.model == "baseline"
    assert judgment.judge == reference
    assert "understands nothing" in (judgment.judge.notice or "")


async def test_judges_of_one_model_share_it_and_others_do_not():
    with StubJudge() as stub:
        spec = stub.specification
        named = judges(
            direct={"model": spec},
            aloud={"model": spec, "mode": "reason"},
            other={"model": spec, "engine": {"max_in_flight": 2}},
        )
        async with open_service(Settings(judges=named)) as service:
            assert len(service.models) == 2
            assert service.judge_registry.default == "direct"
            assert min(model.scheduler.capacity for model in service.models) == 2


async def test_a_panel_asks_its_members():
    named = judges(
        words={"model": "baseline"}, aloud={"model": "baseline", "mode": "reason"}, both={"panel": ("words", "aloud")}
    )
    async with open_service(Settings(judges=named, default_judge="both")) as service:
        judgment = await service.scorer.score(Submission.model_validate(submission()))
    assert [opinion.judge for opinion in judgment.verdicts[0].panel] == ["words", "aloud"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"judges": judges(one={"model": "baseline"}), "default_judge": "two"}, "Known: one"),
        (
            {"judges": judges(one={"model": "baseline"}, p={"panel": ("one", "none")}), "default_judge": "p"},
            "judges.p.panel: none",
        ),
        (
            {
                "judges": judges(one={"model": "baseline"}, p={"panel": ("one", "q")}, q={"panel": ("one", "p")}),
            },
            "judges.p.panel: q",
        ),
        ({"judges": judges(one={"model": "nonsense:x"})}, "vllm:NAME_OR_PATH"),
        (
            {"judges": judges(one={"model": "openai:a@http://h/v1", "engine": {"api_key_env": "NO_SUCH_KEY"}})},
            "the environment has no NO_SUCH_KEY",
        ),
        ({"rubrics": ("no/such/directory",)}, "no/such/directory"),
        ({"database_url": "mysql://x"}, "postgresql://"),
    ],
)
async def test_what_cannot_be_wired_is_named(settings, told):
    with pytest.raises(BadConfiguration) as refused:
        async with open_service(Settings(**settings)):
            pass
    assert told in str(refused.value)


async def test_a_key_in_place_of_its_variable_is_told_to_nobody():
    engine = {"api_key_env": "sk-live-1234567890"}
    with pytest.raises(BadConfiguration, match="not the name of a variable") as refused:
        async with open_service(settings_of("openai:a@http://127.0.0.1:9/v1", judge={"engine": engine})):
            pass
    assert "1234567890" not in str(refused.value)


async def test_a_key_is_read_from_the_environment_and_stands_in_no_fingerprint():
    os.environ["TEST_JUDGE_KEY"] = "key-1"
    try:
        with StubJudge() as stub:
            engine = {"api_key_env": "TEST_JUDGE_KEY"}
            async with open_service(settings_of(stub.specification, judge={"engine": engine})) as service:
                first = service.judge_registry.judges["default"].reference.fingerprint
                await service.scorer.score(Submission.model_validate(submission()))
            os.environ["TEST_JUDGE_KEY"] = "key-2"
            async with open_service(settings_of(stub.specification, judge={"engine": engine})) as service:
                second = service.judge_registry.judges["default"].reference.fingerprint
    finally:
        del os.environ["TEST_JUDGE_KEY"]
    assert {headers["Authorization"] for headers in stub.headers} == {"Bearer key-1", "Bearer key-2"}
    assert first == second


async def test_a_judge_that_is_down_at_the_start_leaves_nothing_open(tmp_path):
    url = f"sqlite:///{tmp_path}/kept.db"
    with pytest.raises(JudgeServerError) as refused:
        async with open_service(settings_of("openai:a@http://127.0.0.1:9/v1", database=url)):
            pass
    assert isinstance(refused.value, ModelUnavailable)
    async with open_service(settings_of(database=url)) as service:
        await service.store.ping()


async def test_the_archive_opens_without_a_judge(tmp_path):
    settings = settings_of(database=f"sqlite:///{tmp_path}/kept.db")
    async with open_service(settings) as service:
        judgment = await service.scorer.score(Submission.model_validate(submission(rubric=checking())))
    async with open_archive(settings) as (store, shelf):
        assert await store.judgment(judgment.id) == judgment
        assert (await shelf.get("medical/consultation")).id == "medical/consultation"


class FirstLabels:
    """Opens a model that always says the label that the prompt names first."""

    def open(self, specification):
        def answer(request):
            asked = request.prompt.turns[-1].text.rpartition("exactly one word:")[2]
            first, second = (("Yes", "No"), ("No", "Yes"))[asked.index("No") < asked.index("Yes")]
            return Completion(first, (TokenProbability(first, log(0.9)), TokenProbability(second, log(0.1))))

        return ScriptedModel(answer)


async def test_a_panel_of_both_orders_averages_over_the_place_of_the_labels():
    named = judges(
        usual={"model": "scripted:one"},
        opposite={"model": "scripted:one", "order": "opposite"},
        both={"panel": ["usual", "opposite"]},
    )
    built = build_judges(named, FirstLabels(), PromptWriter(b"secret"))
    said = {name: (await one.ask(material(), (binary(),), Terms()))[0].reading.value for name, one in built.items()}
    assert said == pytest.approx({"usual": 0.9, "opposite": 0.1, "both": 0.5})
    assert built["usual"].reference.fingerprint != built["opposite"].reference.fingerprint


async def test_a_judge_with_examples_shows_labelled_responses_of_the_dev_split_only(tmp_path):
    labels = tmp_path / "labels.csv"
    head = "item,criterion,annotator,role,label,split,prompt,response\n"
    rows = [
        f"{n},plain,ann,human,{'yes' if n % 2 else 'no'},{'test' if n < 4 else 'dev'},Question {n}?,Answer {n} is here."
        for n in range(12)
    ]
    labels.write_text(head + "\n".join(rows) + "\n")
    with StubJudge() as stub:
        rule = {"from": str(labels), "k": 8}
        named = judges(plain={"model": stub.specification}, shown={"model": stub.specification, "examples": rule})
        async with open_service(Settings(judges=named)) as service:
            prints = {name: service.judge_registry.named(name).reference.fingerprint for name in named}
            judgment = await service.scorer.score(
                Submission.model_validate(
                    {
                        "rubric": {
                            "id": "a/b",
                            "version": "1.0.0",
                            "title": "T",
                            "criteria": [{"id": "plain", "statement": "It is plain."}],
                        },
                        "prompt": "Question 5?",
                        "response": "Answer 77 is here.",
                        "judge": "shown",
                    }
                )
            )
        asked = str(stub.bodies[-1]["messages"])
    assert judgment.reward is not None
    assert prints["plain"] != prints["shown"] == judgment.judge.fingerprint
    shown = {n for n in range(12) if f"Answer {n} is here" in asked}
    assert shown == {4, 6, 7, 8, 9, 10, 11}  # neither the locked ones nor the one with this prompt


async def test_examples_from_nowhere_end_the_start_with_the_remedy():
    named = judges(shown={"model": "baseline", "examples": {"from": "nowhere.csv"}})
    with pytest.raises(BadConfiguration, match="neither a file nor a stored label set"):
        async with open_service(Settings(judges=named)):
            pass
