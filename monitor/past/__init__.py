"""The page's past, read back after a restart."""
