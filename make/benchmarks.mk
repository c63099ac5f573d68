# What things cost; included by the Makefile.
.PHONY: bench
bench: $(VENV)/.dev ## measure features, codec and batch beside other ways, and write docs/performance.md
	@$(BIN)/python benchmarks/features.py
	@$(BIN)/python benchmarks/page.py
