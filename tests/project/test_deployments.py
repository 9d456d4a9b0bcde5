"""The arrangements in ``deploy``: Kubernetes by its own schemas, compose and the unit by what they refer to."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from judge_server.models.protocol import Priority
from judge_server.settings.loading import load_settings
from tests.project.repository import ROOT

COMPOSE = ROOT / "deploy" / "compose"
KUBERNETES = ROOT / "deploy" / "kubernetes"
KUBERAY = ROOT / "deploy" / "kuberay"
UNIT = ROOT / "deploy" / "systemd" / "judge-server.service"
VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")


def _compose() -> dict[str, Any]:
    return yaml.safe_load((COMPOSE / "compose.yaml").read_text("utf-8"))


def _manifests() -> list[tuple[str, dict[str, Any]]]:
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))["resources"]
    names = [*listed, "example-secret.yaml"]
    return [
        (name, manifest) for name in names for manifest in yaml.safe_load_all((KUBERNETES / name).read_text("utf-8"))
    ]


def _named(kind: str) -> set[str]:
    return {manifest["metadata"]["name"] for _, manifest in _manifests() if manifest["kind"] == kind}


def _pods(*kinds: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for _, manifest in _manifests():
        if manifest["kind"] in (kinds or ("Deployment",)):
            yield manifest, manifest["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_every_manifest_fits_the_schema_of_kubernetes_with_no_field_unknown(version):
    checked = [kubernetes_validate.validate(manifest, version, strict=True) for _, manifest in _manifests()]
    assert len(checked) >= 14


def test_a_misspelt_field_of_a_manifest_would_be_found():
    manifest = next(one for _, one in _manifests() if one["kind"] == "Deployment")
    manifest["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, "1.37", strict=True)


def test_every_file_of_the_folder_is_applied_or_is_the_example():
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))["resources"]
    there = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml", "example-secret.yaml"}
    assert there == set(listed)
    assert {manifest["metadata"].get("namespace", "judge-server") for _, manifest in _manifests()} == {"judge-server"}


def test_what_a_pod_refers_to_is_there():
    for manifest, pod in _pods("Deployment", "Job"):
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for container in pod["containers"]:
            if manifest["kind"] == "Deployment":
                ports = {port["name"] for port in container["ports"]}
                probes = [container[name] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
                assert {probe["httpGet"]["port"] for probe in probes} <= ports
            assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
            secrets = [one["valueFrom"]["secretKeyRef"] for one in container["env"] if "valueFrom" in one]
            assert {secret["name"] for secret in secrets} <= _named("Secret")
        assert {one["configMap"]["name"] for one in volumes.values() if "configMap" in one} <= _named("ConfigMap")
        claims = {
            one["persistentVolumeClaim"]["claimName"] for one in volumes.values() if "persistentVolumeClaim" in one
        }
        assert claims <= _named("PersistentVolumeClaim")


def test_every_selector_finds_the_pods_that_it_means():
    labels = [manifest["spec"]["template"]["metadata"]["labels"] for manifest, _ in _pods()]
    for name, manifest in _manifests():
        selector = manifest.get("spec", {}).get("selector") or manifest.get("spec", {}).get("podSelector")
        if selector:
            wanted = selector.get("matchLabels", selector)
            assert any(wanted.items() <= one.items() for one in labels), (name, wanted)


def test_every_container_gives_up_what_it_does_not_need():
    for manifest, pod in _pods("Deployment", "Job"):
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            if container["image"] == "judge-server":
                assert pod["securityContext"]["runAsNonRoot"] is True, manifest["metadata"]
                assert context["readOnlyRootFilesystem"] is True


def test_every_deployment_keeps_a_pod_through_a_drain_and_is_scaled_by_what_exists():
    deployments = _named("Deployment")
    assert _named("PodDisruptionBudget") == _named("HorizontalPodAutoscaler") == deployments
    for _, manifest in _manifests():
        if manifest["kind"] == "HorizontalPodAutoscaler":
            target = manifest["spec"]["scaleTargetRef"]
            assert (target["kind"], target["name"]) == ("Deployment", manifest["metadata"]["name"])
            assert manifest["spec"]["minReplicas"] >= 2
        if manifest["kind"] == "Deployment":
            assert "replicas" not in manifest["spec"]  # an apply would undo what the autoscaler decided


def test_engines_follow_the_queue_of_training_before_that_of_batch_jobs():
    scaler = next(
        one
        for _, one in _manifests()
        if one["kind"] == "HorizontalPodAutoscaler" and one["metadata"]["name"] == "judge-model"
    )
    metrics = [one["external"] for one in scaler["spec"]["metrics"]]
    values = yaml.safe_load((KUBERNETES / "monitoring" / "adapter-values.yaml").read_text("utf-8"))
    (adapted,) = values["rules"]["external"]
    told = (ROOT / "docs" / "observability.md").read_text("utf-8")
    for one in metrics:
        assert one["metric"]["name"] == adapted["name"]["as"]
        assert f"| `{one['metric']['name']}` | model, priority |" in told
    allowed = {
        one["metric"]["selector"]["matchLabels"]["priority"]: int(one["target"]["averageValue"]) for one in metrics
    }
    assert set(allowed) == {one.name.lower() for one in Priority} - {"audit"}
    assert sorted(allowed, key=lambda name: allowed[name]) == ["training", "interactive", "batch"]


def test_the_migration_is_a_command_that_makes_the_tables(tmp_path):
    ((_, pod),) = _pods("Job")
    (container,) = pod["containers"]
    database = f"sqlite:///{tmp_path}/judge.db"
    environment = os.environ | {"DATABASE_URL": database}
    program = Path(sys.executable).with_name("judge-server")
    Path(tmp_path / "judge.db").touch()
    for words in (container["args"], ["database", "check"]):
        done = subprocess.run([program, *words], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2_000:]


def test_prometheus_operator_scrapes_the_services_and_reads_the_alerts():
    listed = yaml.safe_load((KUBERNETES / "monitoring" / "kustomization.yaml").read_text("utf-8"))["resources"]
    monitors = [
        one for name in listed for one in yaml.safe_load_all((KUBERNETES / "monitoring" / name).read_text("utf-8"))
    ]
    services = [one for _, one in _manifests() if one["kind"] == "Service"]
    for monitor in monitors:
        assert set(monitor["spec"]) == {"jobLabel", "selector", "endpoints"}
        wanted = monitor["spec"]["selector"]["matchLabels"]
        (service,) = [one for one in services if wanted.items() <= one["metadata"]["labels"].items()]
        assert service["metadata"]["labels"][monitor["spec"]["jobLabel"]] == monitor["metadata"]["name"]
        for endpoint in monitor["spec"]["endpoints"]:
            assert set(endpoint) <= {"port", "path", "interval", "authorization"}
            assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert {one["metadata"]["name"] for one in monitors} == _named("Deployment")
    done = subprocess.run(
        [sys.executable, "-m", "deploy.prometheus_rule"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    rule = yaml.safe_load(done.stdout)
    assert rule["spec"] == yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8"))
    rules = rule["spec"]["groups"][0]["rules"]
    parts = [{"record", "expr"} if "record" in one else {"alert", "expr", "labels", "annotations"} for one in rules]
    assert all(wanted <= set(one) for wanted, one in zip(parts, rules, strict=True))


def test_the_operators_guide_names_every_file_of_every_arrangement():
    guide = (ROOT / "docs" / "operator.md").read_text("utf-8") + (ROOT / "docs" / "ray.md").read_text("utf-8")
    files = [path for folder in (COMPOSE, KUBERNETES, KUBERAY, UNIT.parent) for path in folder.rglob("*.*")]
    assert [path.name for path in files if path.is_file() and path.name not in guide] == []


def test_the_service_of_the_server_sets_no_variable_that_is_a_setting():
    assert "judge-server" not in _named("Service")
    assert all(pod["enableServiceLinks"] is False for _, pod in _pods("Deployment", "Job"))


def test_a_pod_is_given_longer_to_end_than_the_server_drains():
    settings = tomllib.loads(_settings_text())
    pod = next(pod for manifest, pod in _pods() if manifest["metadata"]["name"] == "judge-server")
    pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > settings["drain_seconds"] + pause


def _settings_text() -> str:
    configuration = next(manifest for _, manifest in _manifests() if manifest["kind"] == "ConfigMap")
    return configuration["data"]["judge-server.toml"]


def test_the_settings_of_both_arrangements_are_settings_of_the_server(tmp_path):
    (tmp_path / "kubernetes.toml").write_text(_settings_text())
    for path, model in (
        (tmp_path / "kubernetes.toml", "dns+http://judge-model:8000/v1"),
        (COMPOSE / "judge-server.toml", "http://vllm:8000/v1"),
    ):
        settings = load_settings(path)
        assert settings.authentication == "required"
        assert settings.judges["judge"].model == f"openai:judge@{model}"


def test_the_judge_of_each_arrangement_is_a_service_of_it():
    services = {
        (manifest["metadata"]["name"], port["port"])
        for _, manifest in _manifests()
        if manifest["kind"] == "Service"
        for port in manifest["spec"]["ports"]
    }
    assert ("judge-model", 8000) in services
    assert "vllm" in _compose()["services"]
    for command in (_compose()["services"]["vllm"]["command"], _pod_arguments("judge-model")):
        words = " ".join(command).replace("=", " ")
        assert "--served-model-name judge" in words
        assert "--max-logprobs 20" in words


def _pod_arguments(name: str) -> list[str]:
    return next(pod for manifest, pod in _pods() if manifest["metadata"]["name"] == name)["containers"][0]["args"]


def test_every_variable_of_compose_is_in_the_example_and_what_must_be_set_has_no_default():
    text = (COMPOSE / "compose.yaml").read_text("utf-8")
    example = dict(line.split("=", 1) for line in _lines(COMPOSE / "example.env"))
    used = {found[1]: found[2] for found in VARIABLE.finditer(text)}
    assert set(used) == set(example)
    assert {name for name, how in used.items() if how == "?"} >= {"POSTGRES_PASSWORD", "GRAFANA_PASSWORD"}
    assert all(not example[name] for name in example if name.endswith("PASSWORD"))


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def test_what_compose_refers_to_is_there():
    compose = _compose()
    for name, service in compose["services"].items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            there = (COMPOSE / source).exists() if source.startswith(".") else source in compose["volumes"]
            assert there, (name, mount)
        assert set(service["networks"]) <= set(compose["networks"])
        for other, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert "healthcheck" in compose["services"][other]
    built = compose["services"]["judge-server"]["build"]
    assert f" AS {built['target']}\n" in (COMPOSE / built["context"] / "Dockerfile").read_text("utf-8")


def test_compose_scrapes_its_own_services_under_the_name_of_the_alerts():
    scraped = yaml.safe_load((COMPOSE / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"][0].split(":")[0] for job in scraped}
    assert targets == {"judge-server": "judge-server", "vllm": "vllm"}
    assert set(targets.values()) <= set(_compose()["services"])
    provider = yaml.safe_load((COMPOSE / "grafana" / "dashboards.yml").read_text("utf-8"))["providers"][0]
    mounts = _compose()["services"]["grafana"]["volumes"]
    assert any(mount.split(":")[1].startswith(provider["options"]["path"]) for mount in mounts)


def test_only_the_proxy_of_compose_is_open_to_the_network():
    opened = {
        name: [port for port in service["ports"] if not port.startswith("127.0.0.1:")]
        for name, service in _compose()["services"].items()
        if "ports" in service
    }
    assert {name for name, ports in opened.items() if ports} == {"caddy"}


def test_the_unit_waits_longer_for_the_end_than_the_server_drains():
    unit = _unit()
    drain = load_settings().drain_seconds
    assert float(unit["TimeoutStopSec"]) > drain + 1
    assert shlex.split(unit["ExecStart"])[:2] == ["/opt/judge-server/bin/judge-server", "serve"]


def test_the_operators_guide_makes_the_user_and_the_folders_of_the_unit():
    unit, guide = _unit(), (ROOT / "docs" / "operator.md").read_text("utf-8")
    user, folder = unit["User"], unit["WorkingDirectory"]
    assert folder == f"/var/lib/{unit['StateDirectory']}"
    assert f"--home-dir {folder} --user-group {user}\n" in guide
    assert f"install -d -m {unit['StateDirectoryMode']} -o {user} -g {unit['Group']} {folder}\n" in guide
    assert f"(cd {folder} && runuser -u {user} -- {unit['ExecStart'].split()[0]} keys create " in guide


def _unit() -> dict[str, str]:
    return dict(line.split("=", 1) for line in _lines(UNIT) if "=" in line)


def _kuberay() -> list[dict[str, Any]]:
    listed = yaml.safe_load((KUBERAY / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert {path.name for path in KUBERAY.glob("*.yaml")} == {*listed, "kustomization.yaml"}
    return [manifest for name in listed for manifest in yaml.safe_load_all((KUBERAY / name).read_text("utf-8"))]


def _ray_pods() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The pod templates of KubeRay's resource, whose own schema no package carries."""
    service = next(one for one in _kuberay() if one["kind"] == "RayService")
    cluster = service["spec"]["rayClusterConfig"]
    assert set(cluster) == {"rayVersion", "enableInTreeAutoscaling", "headGroupSpec", "workerGroupSpecs"}
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        yield group, group["template"]


def test_kuberays_pods_and_everything_beside_them_fit_the_schema_of_kubernetes():
    for manifest in _kuberay():
        if manifest["kind"] != "RayService":
            kubernetes_validate.validate(manifest, "1.37", strict=True)
    for _, template in _ray_pods():
        metadata = {"name": "pod", **template["metadata"]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        kubernetes_validate.validate(pod, "1.37", strict=True)
        mounted = {mount["name"] for one in template["spec"]["containers"] for mount in one["volumeMounts"]}
        assert mounted == {volume["name"] for volume in template["spec"]["volumes"]}


def test_kuberay_serves_our_application_with_settings_that_are_settings(tmp_path):
    service = next(one for one in _kuberay() if one["kind"] == "RayService")
    serve = yaml.safe_load(service["spec"]["serveConfigV2"])
    module, _, name = serve["applications"][0]["import_path"].partition(":")
    assert f"def {name}(" in (ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8")
    (pod, *_) = [template["spec"]["containers"][0] for _, template in _ray_pods()]
    environment = {one["name"]: one.get("value") for one in pod["env"]}
    callback = environment["RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"]
    module, _, name = callback.rpartition(".")
    assert f"def {name}(" in (ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8")
    configured = next(one for one in _kuberay() if one["kind"] == "ConfigMap")
    (tmp_path / "judge-server.toml").write_text(configured["data"]["judge-server.toml"])
    settings = load_settings(tmp_path / "judge-server.toml")
    assert settings.authentication == "required"
    assert set(settings.ray.judges) <= set(settings.judges)
    assert serve["http_options"]["host"] == settings.host
    for _, template in _ray_pods():
        assert template["spec"]["terminationGracePeriodSeconds"] > settings.drain_seconds
    locked = (ROOT / "requirements" / "dev.lock").read_text("utf-8")
    assert f"ray=={service['spec']['rayClusterConfig']['rayVersion']} " in locked
