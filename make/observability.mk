# Rules and dashboards. Tools that are not on the PATH are taken from the images of docker-compose.yml.
GRAFANA_DIR := $(CURDIR)/grafana
in-image = docker run --rm -v $(GRAFANA_DIR):/grafana:ro -w /grafana --entrypoint $(1) $(2)
PROMTOOL ?= $(if $(shell command -v promtool),promtool,$(call in-image,promtool,prom/prometheus:v3.13.5))
AMTOOL ?= $(if $(shell command -v amtool),amtool,$(call in-image,amtool,prom/alertmanager:v0.34.2))
ROUTE = cd $(GRAFANA_DIR) && $(AMTOOL) config routes test --config.file=alertmanager.yml

.PHONY: rules-test
rules-test: ## check and unit-test the Prometheus rules, and where alerts are sent (needs promtool and amtool)
	@cd $(GRAFANA_DIR) && $(PROMTOOL) check config --lint=all --lint-fatal prometheus.yml
	@cd $(GRAFANA_DIR) && $(PROMTOOL) check rules --lint=all --lint-fatal rules/*.yml
	@cd $(GRAFANA_DIR) && $(PROMTOOL) test rules tests/*.yml
	@cd $(GRAFANA_DIR) && $(AMTOOL) check-config alertmanager.yml
	@$(ROUTE) --verify.receivers=desk alertname=SpikePredicted severity=info audience=desk
	@$(ROUTE) --verify.receivers=desk,pager alertname=FeedSilent severity=page
	@$(ROUTE) --verify.receivers=desk,pager alertname=PredictionsStalled severity=page
	@$(ROUTE) --verify.receivers=pager alertname=TargetDown severity=page
	@$(ROUTE) --verify.receivers=tickets alertname=Breaks severity=ticket
	@$(ROUTE) --verify.receivers=heartbeat alertname=Watchdog severity=none

.PHONY: dashboards-test
dashboards-test: ## check the dashboards against the schema that Grafana publishes (needs npm)
	@cd tests/observability/schema && npm ci --silent --no-audit --no-fund && node check.mjs $(GRAFANA_DIR)/dashboards/*.json

.PHONY: panels-test
panels-test: $(VENV)/.dev ## ask every panel's query of a running Prometheus: PROMETHEUS_URL=http://localhost:9090
	@test -n "$$PROMETHEUS_URL" || { echo "say where Prometheus is: make panels-test PROMETHEUS_URL=http://localhost:9090"; exit 2; }
	@$(BIN)/python -m pytest -q tests/observability/test_panels.py
