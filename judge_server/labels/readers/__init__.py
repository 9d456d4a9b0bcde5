"""Labels from files: CSV, JSON Lines, Parquet, Label Studio exports, HealthBench's meta-evaluation."""

from judge_server.labels.readers.label_reading import read_labels

__all__ = ["read_labels"]
