"""Public sets of human labels: a manifest of where each comes from, and an importer that puts it in the long format.

The data stay with their owners. To add a set: a manifest beside the others, a file here with ``records`` (and
``SCALES`` where the classes are known), and a line in ``catalogue.py``.
"""
