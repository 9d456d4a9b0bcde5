import io
import threading

from judge_client.progress import watching


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_line_that_ends():
    terminal = Terminal()
    with watching(True, 4, terminal) as done:
        done(1)
        done(3)
    text = terminal.getvalue()
    assert "0/4" in text
    assert "4/4" in text
    assert text.endswith("\n")
    assert text.count("\n") == 1


def test_what_is_no_terminal_sees_nothing():
    stream = io.StringIO()
    with watching(True, 4, stream) as done:
        assert done is None
    assert stream.getvalue() == ""


def test_nobody_is_told_where_nobody_asked():
    with watching(False, 4) as done:
        assert done is None


def test_a_function_is_told_by_one_thread_at_a_time():
    told: list[tuple[int, int]] = []
    with watching(lambda *how_far: told.append(how_far), 400) as done:
        threads = [threading.Thread(target=lambda: [done(1) for _ in range(50)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert told == [(n, 400) for n in range(1, 401)]
