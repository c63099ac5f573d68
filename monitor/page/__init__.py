"""The page on which the states are watched, and what its stream and history tell."""
