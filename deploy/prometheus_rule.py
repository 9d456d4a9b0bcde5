"""The alerts as the resource that Prometheus' operator reads.

python -m deploy.prometheus_rule [--namespace judge-server] | kubectl apply --filename -

Made of ``deploy/prometheus/alerts.yml``, so that there is one text of each alert.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

ALERTS = Path(__file__).with_name("prometheus") / "alerts.yml"


def prometheus_rule(namespace: str) -> dict[str, Any]:
    """The manifest of a PrometheusRule (monitoring.coreos.com/v1)."""
    labels = {"app.kubernetes.io/name": "judge-server"}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "judge-server", "namespace": namespace, "labels": labels},
        "spec": yaml.safe_load(ALERTS.read_text("utf-8")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="The alerts as a PrometheusRule.")
    parser.add_argument("--namespace", default="judge-server")
    yaml.safe_dump(prometheus_rule(parser.parse_args().namespace), sys.stdout, sort_keys=False, allow_unicode=True)


if __name__ == "__main__":
    main()
