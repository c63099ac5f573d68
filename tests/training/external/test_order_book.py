"""A book rebuilt from level changes."""

from hypothesis import given
from hypothesis import strategies as st

from training.external.order_book import BestQuote, BookChange, BookSide, best_quotes

LEVEL = st.tuples(st.sampled_from([1.0, 2.0, 3.0, 4.0]), st.sampled_from([0.0, 1.0, 2.5]))


@given(start=st.lists(LEVEL, max_size=5), changes=st.lists(LEVEL, max_size=30))
def test_the_best_level_is_the_best_of_all(
    start: list[tuple[float, float]], changes: list[tuple[float, float]]
) -> None:
    """After each change the heap's best is the extreme of the standing levels, on both sides."""
    for sign, extreme in ((1, min), (-1, max)):
        book = BookSide(1 if sign == 1 else -1)
        book.fill(start)
        levels = {price: size for price, size in start if size}
        for price, size in changes:
            book.set(price, size)
            levels[price] = size
            levels = {p: s for p, s in levels.items() if s}
            best = extreme(levels, default=None)
            assert book.best() == (None if best is None else (best, levels[best]))


def test_quotes_come_with_their_sizes_and_never_crossed() -> None:
    """Between the changes of one update the book may be crossed: then nothing is said."""
    changes = [
        BookChange(1, "buy", 10.5, 3.0),
        BookChange(2, "sell", 10.4, 1.0),
        BookChange(3, "buy", 10.5, 0.0),
    ]
    found = list(best_quotes([(10.0, 1.0)], [(11.0, 2.0)], changes))
    assert found == [BestQuote(1, 10.5, 3.0, 11.0, 2.0), BestQuote(3, 10.0, 1.0, 10.4, 1.0)]
