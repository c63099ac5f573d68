# Recordings of one's own; included by the Makefile.
.PHONY: record
record: $(VENV)/.demo ## write the live feed into recordings/, until Ctrl-C: PRODUCTS=BTC-USD,ETH-USD, FEED=ws://… for another
	@exec env $(if $(filter-out coinbase,$(FEED)),INGESTOR_WS_URL="$(FEED)") $(if $(PRODUCTS),INGESTOR_PRODUCTS="$(PRODUCTS)") $(BIN)/python -m ingestor record "$(or $(RECORDINGS),recordings)"

.PHONY: inspect
inspect: $(VENV)/.demo ## what a recording, or a folder of them, holds and whether it serves for training: DATA=recordings
	@$(BIN)/python -m simulator inspect "$(or $(DATA),recordings)"

.PHONY: fuzz
fuzz: $(VENV)/.dev ## spoilt frames never stop the ingestor: N=1000000, SEED=… (printed) to see one again
	@PYTHONPATH=. N="$(N)" SEED="$(SEED)" $(BIN)/python -m tests.ingestor.fuzz
