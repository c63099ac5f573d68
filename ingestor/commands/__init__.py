"""What ``python -m ingestor`` does beside serving."""
