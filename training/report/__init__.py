"""What a training found, as one document, its page, its plots and the rationale's tables."""
