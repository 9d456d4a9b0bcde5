"""The one place where settings, models, judges, rubrics, store and scorer meet."""
