"""The first lines of the log: what starts, and with which settings."""

import logging

from judge_server import __version__
from judge_server.settings.settings import DEFAULT_JUDGE, Settings
from judge_server.store.location import Location

_LOG = logging.getLogger(__name__)


def announce(settings: Settings) -> None:
    """Log version, configuration file, database without its secret, judges, authentication and limits."""
    _LOG.info("judge-server %s", __version__)
    _LOG.info("configuration: %s", settings.file or "defaults, environment and flags")
    _LOG.info("database: %s", Location.of(settings.database_url or "sqlite://"))
    asked_by = {name: one.model or ", ".join(one.panel) or "a cascade" for name, one in settings.judges.items()}
    for name, asked in (asked_by or {DEFAULT_JUDGE: "baseline"}).items():
        _LOG.info("judge %s%s: %s", name, " (default)" if name == settings.chosen_judge else "", asked)
    _LOG.info(
        "API keys are %s; %s",
        "demanded" if settings.demands_keys else "not demanded",
        "callers see their own judgments" if settings.own_views else "every caller sees all judgments",
    )
    _LOG.info(
        "limits of a priority class: %d submissions, %d questions; largest body %d bytes",
        settings.max_under_way,
        settings.max_questions,
        settings.max_body_bytes,
    )
