"""How good models are: protocols, measures, intervals, the choice and the holdout."""
