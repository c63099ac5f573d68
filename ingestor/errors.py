"""What can go wrong in the ingestor beyond a bad frame, which is a value and no exception."""


class IngestorError(Exception):
    """Base of the ingestor's own errors."""


class Undelivered(IngestorError):
    """Records were given up because the service had to end before Kafka took them."""
