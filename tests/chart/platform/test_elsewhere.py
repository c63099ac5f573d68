"""What a Prometheus and a Grafana that are not ours are given, and that two releases do not mix."""

import json
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.chart.platform.notes import notes
from tests.chart.rendering import (
    CHART,
    NAMESPACE,
    RELEASE,
    ROOT,
    Manifest,
    named,
    rendered,
    setting,
)
from tests.chart.test_monitoring import promtool

AT = "monitoring.elsewhere"
ALL = (f"{AT}.rules.enabled=true", f"{AT}.dashboards.enabled=true", f"{AT}.scrape.enabled=true")
BY_ANNOTATIONS = (
    f"{AT}.labels.release=app_kubernetes_io_instance",
    f"{AT}.labels.component=app_kubernetes_io_component",
)
WHICH = f"{NAMESPACE}-{RELEASE}"


def handed_out(*pairs: str) -> dict[str, Manifest]:
    """Return the ConfigMaps for others, by what they hold."""
    found = named(rendered(*setting(*pairs)), "ConfigMap")
    return {
        name.removeprefix("elsewhere-"): thing
        for name, thing in found.items()
        if name.startswith("elsewhere-")
    }


def test_nothing_is_handed_out_unasked() -> None:
    """Neither ConfigMaps nor annotations, in either mode."""
    for pairs in ((), ("monitoring.mode=none",)):
        assert handed_out(*pairs) == {}
        assert "prometheus.io/" not in str(rendered(*setting(*pairs)))


@pytest.mark.parametrize("mode", ["bundled", "none"])
def test_each_part_is_there_by_a_value_of_its_own(mode: str) -> None:
    """Whether or not there is a Prometheus of ours; with the labels that a sidecar looks for."""
    boards = {f"dashboard-{path.stem}" for path in (ROOT / "grafana/dashboards").glob("*.json")}
    parts = {"rules": {"rules"}, "dashboards": boards, "scrape": {"scrape"}}
    for part, names in parts.items():
        given = (f"monitoring.mode={mode}", f"{AT}.{part}.enabled=true")
        more = (f"{AT}.{part}.labels.team=watch", f"{AT}.{part}.annotations.folder=Volatility")
        found = handed_out(*given, *more)
        assert found.keys() == names
        for thing in found.values():
            kubernetes_validate.validate(thing, "1.37", strict=True)
            assert thing["metadata"]["labels"]["team"] == "watch"
            assert thing["metadata"]["annotations"] == {"folder": "Volatility"}
            assert all(key.startswith(WHICH) for key in thing["data"])
    assert handed_out(*ALL)["dashboard-model"]["metadata"]["labels"]["grafana_dashboard"] == "1"


@pytest.mark.parametrize("more", [(), BY_ANNOTATIONS])
def test_all_words_are_put_in(more: tuple[str, ...]) -> None:
    """No word of the files is left, and dashboards are JSON with identities that fit."""
    found = handed_out(*ALL, *more)
    assert "bound_" not in str(found).lower().replace("topics_unbounded", "")
    boards = [json.loads(*found[name]["data"].values()) for name in found if "dash" in name]
    assert len({board["uid"] for board in boards}) == len(boards) == 4
    assert all(len(board["uid"]) <= 40 for board in boards)
    assert all(board["title"].endswith(f"{NAMESPACE}/{RELEASE}") for board in boards)


@pytest.mark.parametrize("more", [(), BY_ANNOTATIONS])
def test_prometheus_takes_rules_and_scrape_jobs(more: tuple[str, ...], tmp_path: Path) -> None:
    """promtool checks both together, as a configuration that names the files."""
    found = handed_out(*ALL, *more)
    for part in ("rules", "scrape"):
        (tmp_path / part).mkdir()
        for name, text in found[part]["data"].items():
            (tmp_path / part / name).write_text(text)
    config = {"rule_files": ["rules/*.yml"], "scrape_config_files": ["scrape/*.yml"]}
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    done = run(tmp_path, "check", "config", "--lint=all", "--lint-fatal", "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run promtool in a folder."""
    folder.chmod(0o755)  # in the image promtool is not this user
    command = [*promtool(folder), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_scrape_jobs_give_the_labels_that_the_rules_know() -> None:
    """Names of jobs are unique to the release; each service of the pipeline has one."""
    text = handed_out("monitoring.mode=none", *ALL)["scrape"]["data"][f"{WHICH}.yml"]
    jobs = yaml.safe_load(text)["scrape_configs"]
    values = yaml.safe_load((CHART / "values.yaml").read_text())["components"]
    ours = {
        name
        for name, entry in values.items()
        if entry["enabled"] and "metrics" in entry and "group" not in entry
    }
    assert {job["job_name"] for job in jobs} == {f"{NAMESPACE}/{RELEASE}/{name}" for name in ours}
    for job in jobs:
        labels = {each["target_label"]: each["replacement"] for each in job["relabel_configs"]}
        assert labels == {
            "namespace": NAMESPACE,
            "release": RELEASE,
            "job": job["job_name"].rpartition("/")[2],
        }
        assert job["dns_sd_configs"][0]["names"][0].startswith(f"{RELEASE}-{labels['job']}-pods.")


@pytest.mark.parametrize("where", ["pods", "services"])
def test_annotations_name_the_port_of_the_metrics(where: str) -> None:
    """On pods or on one of their Services, so that no pod is found twice."""
    things = rendered(*setting("monitoring.mode=none", f"{AT}.annotate={where}"))
    pods = {
        name: thing["spec"]["template"]["metadata"]["annotations"]
        for name, thing in named(things, "Deployment").items()
    }
    services = {
        name: thing["metadata"].get("annotations", {})
        for name, thing in named(things, "Service").items()
    }
    found = {
        name.removesuffix("-pods"): each
        for name, each in (pods if where == "pods" else services).items()
        if "prometheus.io/scrape" in each
    }
    assert found.keys() == pods.keys()
    assert found["mlserver"]["prometheus.io/port"] == "8082"
    assert found["adapter"]["prometheus.io/port"] == "8000"
    assert {each["prometheus.io/path"] for each in found.values()} == {"/metrics"}
    assert "prometheus.io/" not in str(services if where == "pods" else pods)


@pytest.mark.parametrize(
    ("more", "blocked"),
    [
        ((), True),
        (("networkPolicy.scrapeFrom[0].namespaceSelector.matchLabels.a=b",), False),
        (("networkPolicy.enabled=false",), False),
    ],
)
def test_the_notes_say_that_a_policy_blocks(
    more: tuple[str, ...], blocked: bool, tmp_path: Path
) -> None:
    """Annotations lead nowhere while nobody may scrape."""
    said = notes(tmp_path, *setting(f"{AT}.annotate=pods", *more))
    assert ("networkPolicy.scrapeFrom names nobody" in said) is blocked


# ------------------------------------------------------------------ two releases in one Prometheus

SERVED = ("ingestor", "featurizer", "scorer", "mlserver", "adapter", "monitor", "drift")
PRODUCT = ', product="BTC-USD"'
WATCHED = "TargetDown|PredictionsStalled|KafkaUnhealthy|ConsumerLag|VariantSplit|SpikePredicted"


def series(release: str, well: bool, labels: tuple[str, str]) -> list[dict[str, str]]:
    """Return ten minutes of a release, which is well or has lost adapter, broker and scorer.

    Each alone lags by 600 records, and each serves one variant, not the same.
    """
    which, component = labels
    ml, baseline = ("1x40", "0x40") if well else ("0x40", "1x40")

    def line(metric: str, of: str, values: str, more: str = "") -> dict[str, str]:
        told = f'{component}="{of}", namespace="somewhere", {which}="{release}"{more}'
        return {"series": f"{metric}{{{told}}}", "values": values}

    return [
        *(line("up", name, "1x40") for name in (*SERVED, "kafka-metrics") if name != "adapter"),
        line("up", "adapter", "1x40" if well else "0x40"),
        line("scorer_predictions_total", "scorer", "0+30x40" if well else "7x40"),
        line("kafka_up", "kafka-metrics", "1x40"),
        line("kafka_offline_partitions", "kafka-metrics", "0x40" if well else "1x40"),
        line(
            "kafka_consumer_group_lag",
            "kafka-metrics",
            "600x40",
            ', group="scorer", topic="features"',
        ),
        line("adapter_serving_variant", "adapter", ml, ', variant="ml"'),
        line("adapter_serving_variant", "adapter", baseline, ', variant="baseline"'),
        line("scorer_serving_variant", "scorer", ml, ', variant="ml"'),
        line("scorer_serving_variant", "scorer", baseline, ', variant="baseline"'),
        line("signal_state", "monitor", "0x40" if well else "1x40", PRODUCT + ', state="spike"'),
        line("signal_acts", "monitor", "1x40" if well else "0x40", PRODUCT),
    ]


def fired(folder: Path, labels: tuple[str, str], expected: set[tuple[str, str]]) -> None:
    """Check which alerts fire for which release ("": for none) while one is well and one is not."""
    which, _ = labels
    samples = [
        {"labels": f'{{alertname="{name}"{told}}}', "value": 1}
        for name, release in expected
        for told in (f', {which}="{release}"' if release else "",)
    ]
    expr = f'group by (alertname, {which}) (ALERTS{{alertname=~"{WATCHED}", alertstate="firing"}})'
    test: dict[str, Any] = {
        "interval": "15s",
        "input_series": [*series("one", True, labels), *series("two", False, labels)],
        "promql_expr_test": [{"expr": expr, "eval_time": "10m", "exp_samples": samples}],
    }
    whole = {"rule_files": ["*-*.yml"], "evaluation_interval": "15s", "tests": [test]}
    (folder / "test.yml").write_text(yaml.safe_dump(whole))
    done = run(folder, "test", "rules", "test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("pairs", "labels"),
    [
        ((), ("release", "job")),
        (BY_ANNOTATIONS, ("app_kubernetes_io_instance", "app_kubernetes_io_component")),
    ],
)
def test_alerts_of_one_release_are_of_its_own_series(
    pairs: tuple[str, ...], labels: tuple[str, str], tmp_path: Path
) -> None:
    """One is well and stays silent; the other is not, and says so beside it."""
    for release in ("one", "two"):
        things = rendered(*setting(ALL[0], *pairs), release=release)
        (found,) = [each for each in things if each["metadata"]["name"].endswith("elsewhere-rules")]
        for name, text in found["data"].items():
            (tmp_path / name).write_text(text)
    assert len(list(tmp_path.iterdir())) == 4
    broken = ("KafkaUnhealthy", "PredictionsStalled", "TargetDown")
    fired(tmp_path, labels, {(name, "two") for name in broken})


def test_the_rules_of_grafana_alone_would_mix_them(tmp_path: Path) -> None:
    """They find a split, a lag and a spike that nobody has, and not that one predicts no more."""
    for path in (ROOT / "grafana" / "rules").glob("*.yml"):
        (tmp_path / f"all-{path.name}").write_text(path.read_text())
    mixed = ("ConsumerLag", "KafkaUnhealthy", "SpikePredicted", "TargetDown", "VariantSplit")
    expected = {(name, "") for name in mixed} | {("TargetDown", "two")}
    fired(tmp_path, ("release", "job"), expected)
