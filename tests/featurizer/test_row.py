"""Names and bytes of feature rows, of this release and others."""

import json

import msgspec
import pytest

from featurizer.features import NAMES, REQUIRED
from featurizer.row import decode, encode
from tests.featurizer.market import last_row, seconds, tick


def test_row_survives_its_bytes() -> None:
    """Bytes and back give an equal row; its id is made of feed, product, time and trade id."""
    row = last_row([*seconds(*range(70)), tick(70_000_001, trade_id=9)])
    assert decode(encode(row)) == row
    assert row.row_id == "f:BTC-USD:70000001:9"
    assert row.second == 70


def test_row_has_the_features_in_order() -> None:
    """The features of a row stand in the order of the tensors."""
    assert tuple(last_row(seconds(0)).features) == NAMES


def test_a_row_of_an_older_writer_has_what_came_later_unknown() -> None:
    """A row with the names of the first release decodes to one of all names."""
    row = last_row(seconds(*range(70)))
    written = msgspec.structs.replace(row, features={n: row.features[n] for n in REQUIRED})
    found = decode(encode(written))
    assert tuple(found.features) == NAMES
    assert found.features == dict.fromkeys(NAMES) | written.features


def test_a_row_of_a_newer_writer_loses_what_is_not_known_here() -> None:
    """A name of a later release is left out, wherever it stands."""
    row = last_row(seconds(*range(70)))
    newer = msgspec.structs.replace(row, features={"moon_phase_60s": 0.5, **row.features})
    assert encode(decode(encode(newer))) == encode(row)


def test_a_reader_of_the_first_release_meets_its_own_names() -> None:
    """It refuses a name it does not know in ``features``, and passes over a field."""
    written = json.loads(encode(last_row(seconds(0))))
    assert tuple(written["features"]) == REQUIRED
    assert tuple(written["appended"]) == NAMES[len(REQUIRED) :]


def test_a_row_of_version_1_has_neither_level_nor_returns() -> None:
    """What the first release wrote is read, with what it did not know as unknown."""
    written = json.loads(encode(last_row(seconds(*range(70)))))
    new = ("tau", "tau_status", "returns", "after_break", "beat", "appended")
    for name in new:
        del written[name]
    row = decode(json.dumps({**written, "schema_version": 1}).encode())
    assert (row.tau, row.tau_status, row.returns, row.after_break, row.beat) == (
        *(None, None, None),
        *(False, False),
    )
    assert row.features["realized_volatility_900s"] is None


@pytest.mark.parametrize("wrong", [{"tau": 0.0}, {"tau": -1e-4}, {"returns": -1}])
def test_a_level_that_is_none_is_refused(wrong: dict[str, float]) -> None:
    """The error names the field."""
    written = json.loads(encode(last_row(seconds(0)))) | wrong
    with pytest.raises(msgspec.ValidationError, match=next(iter(wrong))):
        decode(json.dumps(written).encode())


def test_a_row_of_other_features_stays_as_it_came() -> None:
    """Without one of the first release nothing is filled in, so that its reader can refuse it."""
    row = last_row(seconds(0))
    for strange in ({"price": 1.0}, dict.fromkeys(NAMES[1:])):
        other = msgspec.structs.replace(row, features=strange)
        assert decode(encode(other)) == other
