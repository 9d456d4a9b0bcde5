"""A fault that lasts is told of now and then, with what was passed over."""

from judge_server.util.log_throttle import LogThrottle


def test_the_first_is_told_and_then_one_in_a_while_with_the_number_of_the_others():
    now = [0.0]
    news = LogThrottle(lambda: now[0], quiet_seconds=10)
    told = []
    for second in range(25):
        now[0] = float(second)
        told.append(news.of("disk full"))
    assert [(second, line) for second, line in enumerate(told) if line is not None] == [
        (0, ""),
        (10, " (9 more since the last such line)"),
        (20, " (9 more since the last such line)"),
    ]


def test_kinds_do_not_hush_each_other():
    news = LogThrottle(lambda: 0.0)
    assert [news.of(kind) for kind in ("read", "written", "read")] == ["", "", None]


def test_what_is_over_is_news_when_it_comes_again():
    news = LogThrottle(lambda: 0.0)
    news.of("timeout")
    news.forget()
    assert news.of("timeout") == ""
