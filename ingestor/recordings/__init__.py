"""Recordings: the forms they were kept in, reading them as whole frames, and making them."""
