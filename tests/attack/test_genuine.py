from judge_server.attack.genuine import GenuineAnswer, genuine_answers, refusals
from judge_server.guard.guard import Inspection
from tests.core.build import rubric


def test_the_guard_refuses_at_most_one_in_two_hundred_genuine_short_answers(tell):
    found = refusals(genuine_answers())
    tell(f"{len(found.refused)} of {found.answers} genuine answers refused: {[one.answer for one in found.refused]}")
    assert found.answers >= 1_000
    assert len(found.refused) <= 0.005 * found.answers


def test_harmless_answers_are_seldom_flagged(tell):
    found = refusals(genuine_answers())
    tell(f"{found.flagged} of {found.answers} genuine answers flagged")
    assert found.flagged <= 0.08 * found.answers  # mostly signs that the question asks for


def test_the_set_holds_very_short_answers_of_many_scripts_and_kinds():
    answers = [one.answer for one in genuine_answers()]
    assert len(set(genuine_answers())) == len(answers)
    assert sum(len(answer) <= 2 for answer in answers) >= 150
    assert sum(len(answer) <= 10 for answer in answers) >= 800
    assert sum(not answer.isascii() for answer in answers) >= 250
    assert {"Yes", "No", "42", "Å"} & set(answers) >= {"Yes", "No"}
    assert {"5 km", "H2O", "O(n)", "水", "nein".capitalize(), "+", 'x["id"]', "[]"} <= set(answers)


def test_what_a_guard_refuses_and_what_it_only_flags_are_told_apart():
    def strict(submission, _rubric):
        if submission.response == "4":
            return Inspection(("degenerate",), "too short")
        return Inspection(("injection_suspected",) if submission.response == "5" else (), None)

    answers = [GenuineAnswer(question="2 + 2?", answer=answer) for answer in ("4", "5", "four")]
    found = refusals(answers, rubric({"points": 1}), strict)
    assert (found.answers, found.refused, found.flagged) == (3, (answers[0],), 1)
