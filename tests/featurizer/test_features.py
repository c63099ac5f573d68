"""What names the features, in their order, and what identifies their definitions."""

from dataclasses import replace

from featurizer.features import FEATURES, FEATURES_DIGEST, NAMES, REQUIRED, digest_of, names_of

FIRST_RELEASE = (
    "realized_volatility_60s",
    "log_return_60s",
    "spread_mean_60s",
    "trade_intensity_60s",
    "realized_volatility_300s",
    "log_return_300s",
    "spread_mean_300s",
    "trade_intensity_300s",
    "order_book_imbalance_30s",
    "order_book_imbalance_60s",
    "order_book_imbalance_300s",
    "price_velocity_300s",
)
"""What clients, models and rows of before are made of: names and order never change."""


def test_those_of_the_first_release_stand_first() -> None:
    """No name stands twice."""
    assert len(set(NAMES)) == len(NAMES)
    assert REQUIRED == FIRST_RELEASE == NAMES[: len(FIRST_RELEASE)]


def test_digests_of_before_name_the_features_of_then() -> None:
    """Models, datasets and predictions of the first release, and of the one before this, go on."""
    assert names_of("53c936bf0205029b2d83d8020c9cdc10986a9c9509c272c3e6835e5af1cb8147") == REQUIRED
    assert names_of("bb2edd86598d9246815804f6552eedaf4d9172bb865c3cf83e8959ab6e75e585") == REQUIRED


def test_the_digest_of_so_many_features_names_them() -> None:
    """Every width there ever was has a digest of its own; other definitions have no names."""
    widths = range(len(REQUIRED), len(NAMES) + 1)
    assert [names_of(digest_of(FEATURES[:n])) for n in widths] == [NAMES[:n] for n in widths]
    assert names_of(FEATURES_DIGEST) == NAMES
    changed = replace(FEATURES[0], digest="0" * 16)
    assert names_of(digest_of([changed, *FEATURES[1:]])) is None
    assert names_of("f" * 64) is None
