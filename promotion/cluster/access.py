"""The way to a cluster: a kubeconfig, or the service account of the pod this runs in."""

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from promotion.cluster.errors import ClusterError

_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class ReleaseSelector:
    """Which cluster and release are meant; what is None is found out."""

    namespace: str | None = None
    release: str | None = None
    context: str | None = None
    kubeconfig: Path | None = None


def package() -> ModuleType:
    """Return the package ``kubernetes``; it is large, so only here, and when it is needed.

    Raises:
        ClusterError: it is not installed.
    """
    try:
        import kubernetes
        import kubernetes.stream
    except ImportError as exc:
        raise ClusterError(
            "found no package kubernetes, expected one: pip install crypto-volatility[kubernetes]"
        ) from exc
    found: ModuleType = kubernetes
    return found


def api_of(place: ReleaseSelector) -> tuple[Any, str]:
    """Return the client and namespace of a kubeconfig, or, without one, of the pod this runs in.

    Raises:
        ClusterError: there is neither, or it cannot be used.
    """
    config = package().config
    file = str(place.kubeconfig) if place.kubeconfig else None
    try:
        api = config.new_client_from_config(config_file=file, context=place.context)
        namespace = place.namespace or _namespace_of(config, place)
    except (config.ConfigException, OSError) as exc:
        if place.kubeconfig or place.context:
            raise ClusterError(f"cannot use the kubeconfig: {exc}") from exc
        api = _inside(str(exc))
        namespace = place.namespace or _NAMESPACE_FILE.read_text().strip()
    return api, namespace


def _namespace_of(config: Any, place: ReleaseSelector) -> str:
    """Return the namespace of the context, as `kubectl` does."""
    file = str(place.kubeconfig) if place.kubeconfig else None
    contexts, active = config.list_kube_config_contexts(config_file=file)
    named = (each for each in contexts if each["name"] == place.context)
    return str((next(named, None) or active)["context"].get("namespace") or "default")


def _inside(found: str) -> Any:
    kubernetes = package()
    settings = kubernetes.client.Configuration()
    try:
        kubernetes.config.load_incluster_config(client_configuration=settings)
    except kubernetes.config.ConfigException as exc:
        raise ClusterError(
            f"found no cluster, expected a kubeconfig ({found}) or to run in a pod ({exc}):"
            " name one by --kubeconfig or KUBECONFIG"
        ) from exc
    return kubernetes.client.ApiClient(settings)
