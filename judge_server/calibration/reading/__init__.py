"""Labels from files: CSV, JSON Lines, Parquet, Label Studio exports, HealthBench's meta-evaluation."""

from judge_server.calibration.reading.label_reading import read_labels

__all__ = ["read_labels"]
