"""What no market shows: the limits that the ingestor and all readers behind Kafka hold to.

None looks at a clock, so that what was accepted once is accepted at every replay.
"""

from typing import Annotated, Final

from msgspec import Meta

SMALLEST_PRICE: Final = 1e-12
LARGEST: Final = 1e15
"""Outside of these no market quotes; inside, no ratio of two mids can overflow or vanish."""
WIDEST: Final = 5.0
"""Books in a halt show 0.01 / 1,000,000; the widest true quote of all recordings is far below."""
LATEST_US: Final = 4_102_444_800_000_000
"""The year 2100: later times are of another unit, or no times."""
LONGEST_NAME: Final = 64
NUMBERS: Final = 2**63

# The same limits as types, which a decoder holds to at once; the checks below say what is wrong.
Price = Annotated[float, Meta(ge=SMALLEST_PRICE, le=LARGEST)]
Size = Annotated[float, Meta(ge=0, le=LARGEST)]
Time = Annotated[int, Meta(ge=0, le=LATEST_US)]
Number = Annotated[int, Meta(ge=0, le=NUMBERS - 1)]
Product = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]


class ImplausibleError(ValueError):
    """A value of the right type that cannot be meant; says what was found and expected."""


def check_time(name: str, time_us: int) -> None:
    """Raise ``ImplausibleError`` for what is no time in epoch microseconds."""
    if not 0 <= time_us <= LATEST_US:
        # Python refuses to write down an integer of thousands of digits.
        found = str(time_us) if time_us.bit_length() < 128 else f"{time_us.bit_length()} bits"
        raise ImplausibleError(
            f"{name} {found} found, expected epoch microseconds from 0 to {LATEST_US}"
        )


def check_product(product_id: str) -> None:
    """Raise ``ImplausibleError`` for what is no product's name."""
    if not 0 < len(product_id) <= LONGEST_NAME:
        raise ImplausibleError(
            f"product_id of {len(product_id)} characters found, expected 1 to {LONGEST_NAME}"
        )


def check_price(name: str, price: float) -> None:
    """Raise ``ImplausibleError`` for what is no price; NaN is none."""
    if not SMALLEST_PRICE <= price <= LARGEST:
        raise ImplausibleError(
            f"{name} {price} found, expected a number from {SMALLEST_PRICE} to {LARGEST}"
        )


def check_quote(bid: float, ask: float, names: tuple[str, str] = ("bid", "ask")) -> None:
    """Raise ``ImplausibleError`` for a quote that no return can be made of, or a crossed one."""
    check_price(names[0], bid)
    check_price(names[1], ask)
    if ask < bid:
        raise ImplausibleError(f"{names[1]} {ask} found, expected at least {names[0]} {bid}")
    if ask > WIDEST * bid:
        raise ImplausibleError(
            f"{names[1]} {ask} found, expected at most {WIDEST:g} times {names[0]} {bid}:"
            " such a quote holds a place in a halted book"
        )


def check_size(name: str, size: float | None) -> None:
    """Raise ``ImplausibleError`` for what is neither unknown nor a size."""
    if size is not None and not 0 <= size <= LARGEST:
        raise ImplausibleError(f"{name} {size} found, expected a number from 0 to {LARGEST}")


def check_number(name: str, number: int | None) -> None:
    """Raise ``ImplausibleError`` for what is neither unknown nor a number that counts things."""
    if number is not None and not 0 <= number < NUMBERS:
        found = str(number) if number.bit_length() < 128 else f"{number.bit_length()} bits"
        raise ImplausibleError(f"{name} {found} found, expected a number from 0 to 2^63 - 1")
