"""The verifiers plugin with the id ``judge-client-verifiers``: plugins are top-level modules that export one class."""

from judge_client.adapters.verifiers import RubricJudge

__all__ = ["RubricJudge"]
