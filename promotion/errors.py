"""What can go wrong in promotion: one small hierarchy."""


class PromotionError(Exception):
    """Models cannot be promoted; the message says what was found and what was expected."""
