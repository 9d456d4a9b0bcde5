"""The store: rubrics, judgments, submissions and known verdicts, on SQLite or PostgreSQL."""

from judge_server.store.page import Page
from judge_server.store.store import Store

__all__ = ["Page", "Store"]
