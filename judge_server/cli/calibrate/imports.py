"""``judge-server calibrate import`` and ``list``: labels from files and from public sets."""


def import_labels() -> None:
    """Turn labels into the long format."""


def list_labels() -> None:
    """The public sets that can be imported."""
