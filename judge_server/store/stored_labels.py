"""Label sets and labels as the store keeps them: it looks at their names, not into them."""

from datetime import datetime

from judge_server.core.model import Frozen
from judge_server.util.canonical import JsonObject


class StoredSet(Frozen):
    """One edition of a label set. ``description``: what listings show of it."""

    id: str
    version: str
    digest: str
    created_at: datetime
    description: JsonObject


class CollectedLabel(Frozen):
    """A label that came alone. ``content``: the label with its item's texts, in the long format."""

    item: str
    criterion: str
    annotator: str
    content: JsonObject


class Collection(Frozen):
    """Labels collected under one name; it grows, so it has no digest."""

    id: str
    labels: int
    newest_at: datetime


class Added(Frozen):
    """``changed`` counts labels that took the place of others, ``unchanged`` those that were there already."""

    new: int
    changed: int
    unchanged: int
