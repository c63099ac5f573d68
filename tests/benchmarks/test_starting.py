"""What is loaded as services start is what they run."""

from importlib.util import find_spec

from benchmarks.starting import modules


def test_every_service_is_measured_by_its_own_module() -> None:
    """Each of them is there, and MLServer by our runtime."""
    found = modules()
    assert {"ingestor", "featurizer", "scorer", "adapter", "monitor", "mlserver"} <= found.keys()
    assert all(find_spec(module) for module in found.values())
