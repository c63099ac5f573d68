"""The commands of ``python -m promotion``, a module each."""
