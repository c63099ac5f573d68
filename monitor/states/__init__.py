"""The states of all products: a machine each, fed with predictions, told to topic ``signals``."""
