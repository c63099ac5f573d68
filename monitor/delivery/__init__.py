"""Starts of states, told to whoever is outside: a webhook."""
