"""Queues in which keys take turns."""

from judge_server.util.turns import Turns


def test_keys_take_turns():
    turns: Turns[str] = Turns()
    for item in ("a1", "a2", "b1", "a3", "c1"):
        turns.push(item[0], item)
    assert [turns.pop() for _ in range(5)] == ["a1", "b1", "c1", "a2", "a3"]
    assert not turns
