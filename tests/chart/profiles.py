"""The ways to install the chart that its tests render."""

from tests.chart.rendering import CHART, KIND, Manifest, pod_of, rendered, setting

PROD = str(CHART / "values-prod.yaml")
PUBLISHED = (
    "mlflow.enabled=true",
    *(f"ingress.{name}.enabled=true" for name in ("adapter", "monitor", "grafana", "mlflow")),
    *(f"ingress.{name}.host={name}.org" for name in ("adapter", "monitor", "grafana", "mlflow")),
    "networkPolicy.gatewayFrom[0].namespaceSelector.matchLabels.name=gateway",
    "ip.listen=::",
    "ip.familyPolicy=PreferDualStack",
    "monitoring.elsewhere.annotate=pods",
    *(f"monitoring.elsewhere.{part}.enabled=true" for part in ("rules", "dashboards", "scrape")),
)
PROFILES = {
    "default": (),
    "kind": ("-f", KIND),
    "prod": ("-f", PROD),
    "kind, 3 nodes": (
        "-f",
        KIND,
        *setting(
            "kafka.nodes=3", "components.adapter.replicas=2", "components.mlserver.replicas=2"
        ),
    ),
    "kind, mlflow": ("-f", KIND, *setting("mlflow.enabled=true")),
    "no monitoring": ("-f", KIND, *setting("monitoring.mode=none")),
    "autoscaled": ("-f", KIND, *setting("autoscaling.mode=hpa")),
    "models by image": ("-f", KIND, *setting("serving.models.image=models:1")),
    "published": ("-f", KIND, *setting(*PUBLISHED)),
    "no policies": setting("networkPolicy.enabled=false", "tests.enabled=false"),
    "bare": setting(
        "retraining.enabled=false", "tests.enabled=false", "components.drift.enabled=false"
    ),
}


def objects(profile: str) -> list[Manifest]:
    """Return all objects of a profile."""
    return rendered(*PROFILES[profile])


def pods(profile: str) -> dict[str, Manifest]:
    """Return the specs of all pods of a profile, by kind and name."""
    kinds = {"Deployment", "StatefulSet", "Job", "CronJob", "Pod"}
    return {
        f"{thing['kind']}/{thing['metadata']['name']}": pod_of(thing)
        for thing in objects(profile)
        if thing["kind"] in kinds
    }


def containers(pod: Manifest) -> list[Manifest]:
    """Return all containers of a pod, those that run first too."""
    return [*pod.get("initContainers", []), *pod["containers"]]
