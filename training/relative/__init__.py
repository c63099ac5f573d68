"""What ships: one model for all products in units of τ, and rv60 alone, calibrated, beside it."""
