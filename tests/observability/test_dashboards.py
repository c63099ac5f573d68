"""The dashboards hold together, and with the metrics that there are."""

from pathlib import Path

import pytest
import yaml

from tests.observability.boards import (
    BOARDS,
    GRAFANA,
    Query,
    annotations,
    board,
    expanded,
    metrics_in,
    panels,
    queries,
    rules,
    served,
)

FOREIGN = {
    "up",
    "ALERTS",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
}
"""Metrics of Prometheus itself and of the Python client."""
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
QUERIES = list(queries())


def test_there_are_four() -> None:
    """Each is known by the name of its file."""
    assert [path.stem for path in BOARDS] == ["kafka", "model", "pipeline", "service-slos"]
    assert all(board(path)["uid"] == path.stem for path in BOARDS)


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: str(path.stem))
def test_datasource_is_a_variable_whose_value_is_the_provisioned_one(path: Path) -> None:
    """Panels, queries and annotations ask the variable; it begins at the fixed uid."""
    found = board(path)
    variable = found["templating"]["list"][0]
    assert (variable["name"], variable["type"]) == ("datasource", "datasource")
    provisioned = yaml.safe_load(
        (GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text()
    )
    assert variable["current"]["value"] == provisioned["datasources"][0]["uid"] == "prometheus"
    asked = [panel["datasource"] for panel in panels(path)]
    asked += [target["datasource"] for panel in panels(path) for target in panel["targets"]]
    asked += [each["datasource"] for each in found["annotations"]["list"]]
    assert all(each == DATASOURCE for each in asked)
    assert "__inputs" not in found


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: str(path.stem))
def test_panels_fit_on_the_grid(path: Path) -> None:
    """Ids and titles are unique, and no two panels lie on each other."""
    cells: set[tuple[int, int]] = set()
    for panel in board(path)["panels"]:
        at = panel["gridPos"]
        own = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert max(x for x, _ in own) < 24 and not own & cells, panel["title"]
        cells |= own
    ids = [panel["id"] for panel in board(path)["panels"]]
    titles = [panel["title"] for panel in panels(path)]
    assert len(set(ids)) == len(ids) and len(set(titles)) == len(titles)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.board}: {query.panel}")
def test_panel_reads_what_there_is(query: Query) -> None:
    """Each metric is served by a service or recorded by a rule."""
    recorded = {rule["record"] for rule in rules("recording")}
    assert expanded(metrics_in(query.expr)) - served() - recorded - FOREIGN == set()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.board}: {query.panel}")
def test_panel_invents_no_data(query: Query) -> None:
    """Missing data stays missing: no constant stands in for it."""
    assert "vector(" not in query.expr and "absent" not in query.expr


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: str(path.stem))
def test_panels_say_when_there_is_no_data(path: Path) -> None:
    """An empty panel reads "no data" rather than a number, and does not bridge holes."""
    for panel in panels(path):
        found = panel["fieldConfig"]["defaults"]
        assert panel["type"] == "heatmap" or found["noValue"] == "no data"
        assert not found.get("custom", {}).get("spanNulls", False)


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: str(path.stem))
def test_switches_of_the_variant_are_marked(path: Path) -> None:
    """A rollback stands as an annotation on every dashboard."""
    assert any("adapter_serving_variant offset" in expr for expr in annotations(path))


def test_metric_names_are_found_in_expressions() -> None:
    """The reader of expressions knows functions, labels and ranges from metrics."""
    expr = 'sum by (le) (rate(a_bucket{x="y or z"}[5m])) > on (q) 14.4 * b:c unless up offset 1h'
    assert metrics_in(expr) == {"a_bucket", "b:c", "up"}
