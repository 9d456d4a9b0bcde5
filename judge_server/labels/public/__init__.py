"""Public sets of human labels: for each, a manifest of its source and an importer into the long format.

The data are not distributed. To add a set, add a manifest next to the others, a file here with ``records`` (and
``SCALES`` if the classes are known), and a line in ``catalogue.py``.
"""
