"""Every test that takes ``store`` runs on SQLite and on PostgreSQL."""

from tests.store.conftest import store

__all__ = ["store"]
