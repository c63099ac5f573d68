"""Days of trades of other venues: the level there, and a model in units of it, judged by days."""
