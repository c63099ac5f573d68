# The page of the monitor; included by the Makefile.
UPLOT := 1.6.32
VENDOR := monitor/page/files/vendor

.PHONY: vendor
vendor: ## fetch anew what the page draws with (uPlot, by npm), and compare it with its sums
	@command -v npm >/dev/null || { echo "error: found no npm on the PATH, expected it" >&2; exit 2; }
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	npm pack --silent --pack-destination "$$folder" uplot@$(UPLOT) >/dev/null && \
	tar -xzf "$$folder/uplot-$(UPLOT).tgz" -C "$$folder" && \
	cp "$$folder"/package/dist/uPlot.iife.min.js "$$folder"/package/dist/uPlot.min.css "$$folder"/package/LICENSE $(VENDOR)/ && \
	chmod 644 $(VENDOR)/*
	@cd $(VENDOR) && sha256sum --check --quiet SHA256SUMS && echo "uPlot $(UPLOT) is as its sums say"

$(VENV)/.page: $(VENV)/.dev requirements/page.txt
	@echo "==> installing what drives a browser"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --require-hashes -r requirements/page.txt
	@touch $@

need-chromium = command -v chromium >/dev/null || { echo "error: found no chromium on the PATH, expected it (apt-get install chromium)" >&2; exit 2; }

need-nginx = command -v nginx >/dev/null || { echo "error: found no nginx on the PATH, expected it (apt-get install nginx-light)" >&2; exit 2; }

.PHONY: page-test
page-test: $(VENV)/.page ## the page in the system's Chromium: what it shows and does, its modules, axe, behind nginx
	@$(need-chromium)
	@PATH=$$PATH:/usr/sbin; $(need-nginx)
	@PAGE_TEST=1 $(BIN)/python -m pytest -q tests/monitor/page/browser

.PHONY: page-shots
page-shots: $(VENV)/.page ## take the pictures of docs/page.md anew
	@$(need-chromium)
	@$(BIN)/python -m tests.monitor.page.shots docs/page

.PHONY: page-streams
page-streams: $(VENV)/.page ## what PAGES (50) open pages cost the monitor at ADDRESS, measured for SECONDS (60) each
	@$(BIN)/python -m tests.monitor.page.streams $(or $(ADDRESS),http://127.0.0.1:8090/) $(or $(PAGES),50) $(or $(SECONDS),60)

.PHONY: page-heap
page-heap: $(VENV)/.page ## the page open for MINUTES (30) at 10 rows a second of two products: its heap and CPU by the minute
	@$(need-chromium)
	@$(BIN)/python -m tests.monitor.page.heap $(or $(MINUTES),30)
