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
