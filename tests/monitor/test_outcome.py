"""Outcomes on the wire."""

import json

import msgspec
import pytest

from monitor.outcome import Outcome, decode, encode

OUTCOME = Outcome(
    prediction_id="p",
    row_id="f:BTC-USD:1:0",
    feed="f",
    product_id="BTC-USD",
    time_us=1,
    label=None,
    realized_volatility=None,
    matured_us=61_000_001,
    reason="break",
    tau=0.0012,
    coverage=0.5,
    last_of_second=True,
    model_variant="ml",
    score=0.25,
    spike=False,
)


@pytest.mark.parametrize("label", [True, False, None])
def test_what_is_written_is_read(label: bool | None) -> None:
    """A label that cannot be is null, never false."""
    made = msgspec.structs.replace(OUTCOME, label=label)
    assert decode(encode(made)) == made
    assert json.loads(encode(made))["label"] is label


def test_a_wrong_reason_is_named() -> None:
    """The reasons are a closed list."""
    with pytest.raises(msgspec.ValidationError, match="reason"):
        decode(encode(OUTCOME).replace(b'"break"', b'"bad luck"'))


def test_unknown_fields_are_ignored() -> None:
    """A newer writer may say more."""
    assert decode(encode(OUTCOME).replace(b"{", b'{"more":1,', 1)) == OUTCOME
