"""The store's fixtures: every test that takes ``store`` or ``url`` runs on SQLite and on PostgreSQL."""

from tests.store.conftest import postgres, store, url

__all__ = ["postgres", "store", "url"]
