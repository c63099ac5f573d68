"""What watches the broker: ``python -m monitor kafka``, a process of its own."""
