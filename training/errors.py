"""What can go wrong in training: one small hierarchy."""


class TrainingError(Exception):
    """Any error of this package; the message says what was found and what was expected."""


class DatasetError(TrainingError):
    """A recording cannot be learned from; the message names file, row and reason."""


class FitError(TrainingError):
    """The rows are there, but no model can be fitted or evaluated on them."""
