"""What waits for Kafka: in memory, and beyond that in a file."""
