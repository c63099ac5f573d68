"""Promotion in a Kubernetes cluster: a core of JSON in and JSON out, and a thin shell."""
