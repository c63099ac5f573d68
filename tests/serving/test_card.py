"""Model cards are read, or refused by what does not fit."""

from typing import Any

import msgspec
import pytest

from featurizer.features import FEATURES_DIGEST, NAMES
from serving.card import (
    PICKLED_BY,
    check_libraries,
    installed_libraries,
    installed_version,
    read_card,
)
from serving.errors import ArtifactError

CARD: dict[str, Any] = {
    "variant": "ml",
    "dialect": "advanced",
    "features_digest": FEATURES_DIGEST,
    "tau": {"BTC-USD": 0.0012},
    "threshold": {"BTC-USD": 0.5},
    "libraries": {"python": "3.11.7"},
    "golden": {"rows": [[None] * len(NAMES)], "scores": [0.5]},
}


def read(**changes: Any) -> Any:
    """Read the card with changes."""
    return read_card(msgspec.json.encode(CARD | changes))


def test_what_serving_needs_is_read() -> None:
    """The rest of a card is for people."""
    card = read(for_people="text")
    assert (card.variant, card.tau, card.golden.scores) == ("ml", {"BTC-USD": 0.0012}, [0.5])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"features_digest": "other"}, "found a model for features_digest other, expected"),
        ({"golden": {"rows": [], "scores": []}}, "found 0 golden rows"),
        ({"golden": {"rows": CARD["golden"]["rows"], "scores": []}}, "1 golden rows and 0 scores"),
        ({"golden": {"rows": [[None]], "scores": [0.5]}}, f"one row of {len(NAMES)} values"),
        ({"dialect": "morse"}, "is not a card.*dialect"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(changes: dict[str, Any], said: str) -> None:
    """The error says what was found and what was expected."""
    with pytest.raises(ArtifactError, match=said):
        read(**changes)


def test_a_pickle_needs_the_libraries_that_made_it() -> None:
    """Each that differs is named; of Python the minor version counts."""
    here = dict.fromkeys(PICKLED_BY, "1.2") | {"python": "3.11.7"}
    check_libraries(here | {"python": "3.11.2"}, here.__getitem__)
    other = here | {"numpy": "1.3", "python": "3.12.0"}
    with pytest.raises(ArtifactError) as raised:
        check_libraries(other, here.__getitem__)
    assert "found numpy 1.2, expected 1.3" in str(raised.value)
    assert "found python 3.11.7, expected 3.12.0" in str(raised.value)
    assert "joblib" not in str(raised.value)


def test_a_library_the_card_does_not_name_is_missing() -> None:
    """A card of no libraries fits no process."""
    with pytest.raises(ArtifactError, match="expected one named in the card"):
        check_libraries({}, installed_libraries().__getitem__)


def test_versions_are_those_of_this_process() -> None:
    """What is not installed is said to be so."""
    assert set(installed_libraries()) == {*PICKLED_BY, "python"}
    assert installed_version("no-such-package") == "not installed"
    check_libraries(installed_libraries())
