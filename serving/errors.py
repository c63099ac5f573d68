"""What can go wrong with a model: one small hierarchy."""


class ServingError(Exception):
    """Any error of this package; the message says what was found and what was expected."""


class ArtifactError(ServingError):
    """A model folder is not what it claims to be, or cannot be served by this process."""


class TensorError(ServingError):
    """A request's tensor cannot be scored."""
