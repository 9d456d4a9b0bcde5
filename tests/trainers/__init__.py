"""The adapters against the trainers' own code, each in an environment of its own (``make test-trainers``).

``environments/NAME.in`` says what the trainer needs, ``NAME.lock`` pins it (``make lock-trainers NAME=trl``), and the
optional ``NAME.alone`` lists packages that are installed without what they ask for, pinned as well. A test file is
named for its environment: ``test_trl.py`` runs scripts of ``programs/`` by ``Environment("trl")``.
"""
