"""Traces: W3C trace context, and spans recorded only where a collector is named."""
