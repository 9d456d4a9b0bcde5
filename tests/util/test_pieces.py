"""Long values are pickled in pieces."""

from judge_server.util import pieces


def test_long_texts_are_written_and_read_one_by_one_so_that_others_run_in_between(monkeypatch):
    value = ["\u05b0" * 100_000 for _ in range(10)]
    pauses: list[float] = []
    monkeypatch.setattr(pieces.time, "sleep", pauses.append)
    written = pieces.written(value)
    assert len(pauses) >= 10
    pauses.clear()
    assert pieces.read(b"".join(written)) == value
    assert len(pauses) >= 10
