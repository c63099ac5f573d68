"""A model is sent the columns it names: neither fewer nor more, whatever release it is of."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from featurizer.features import EXAMPLE, FEATURES_DIGEST, NAMES, REQUIRED
from serving.client import LEAST, V2Client
from serving.tensor import Row, width_for
from serving.v2 import ModelAway, ModelFailed, Scored
from tests.balancer import Balancer
from tests.serving.fake_v2 import FakeV2, relative

ROW = tuple(EXAMPLE[name] for name in NAMES)
FIRST, ALL = len(REQUIRED), width_for(len(NAMES))
WITH_TAU = width_for(len(NAMES), tau=True)
PATIENCE = 60.0


def asked(
    url: str, times: int, between: Callable[[int], Any] = lambda _: None, row: Row = ROW
) -> list[Scored]:
    """Ask so often in a row, with one client."""

    async def scene() -> list[Scored]:
        async with V2Client(url, timeout=PATIENCE) as client:
            found = []
            for number in range(times):
                between(number)
                found.append(await client.infer("ml", [row]))
                client._connections.retire(client._connections._newest)
            return found

    return asyncio.run(scene())


@pytest.fixture
def server(make_v2) -> FakeV2:
    """A model server."""
    return make_v2()


def test_a_model_of_before_is_sent_the_columns_of_then(server: FakeV2) -> None:
    """A server of the first release, which takes no others, is asked once a request."""
    server.takes = (FIRST,)
    asked(server.url, 2)
    assert server.widths == [FIRST, FIRST]


def test_a_wider_model_answers_from_all_it_names(server: FakeV2) -> None:
    """What it said of fewer columns is no answer: an id has one score for ever."""
    assert FIRST < ALL
    server.parameters = {"features_digest": FEATURES_DIGEST}
    asked(server.url, 3)
    assert server.widths == [FIRST, ALL, ALL, ALL]


def test_a_model_that_is_gone_back_to_is_asked_again(server: FakeV2) -> None:
    """A server that refuses the width that is known is asked as one that is not."""
    server.parameters = {"features_digest": FEATURES_DIGEST}

    def roll_back(number: int) -> None:
        if number == 1:
            server.parameters, server.takes = {}, (FIRST,)

    asked(server.url, 3, roll_back)
    assert server.widths == [FIRST, ALL, ALL, FIRST, FIRST]


def test_replicas_of_two_releases_answer_by_turns(make_v2) -> None:
    """While both are behind one address, each request has the whole answer of one of them."""
    old, new = make_v2(), make_v2()
    old.takes, new.parameters = (FIRST,), {"features_digest": FEATURES_DIGEST}
    balancer = Balancer(old.port, new.port)
    try:
        digests = {scored.info.features_digest for scored in asked(balancer.url, 8)}
    finally:
        balancer.close()
    assert len(digests) == 2
    assert new.widths[-1] == ALL


def test_rows_that_fail_at_any_width_are_the_servers_failure(server: FakeV2) -> None:
    """What is wrong with the rows is said as it was said, not as a width."""
    server.status["ml"] = 500
    with pytest.raises(ModelFailed):
        asked(server.url, 1)
    server.status.clear()
    server.parameters = {"features_digest": FEATURES_DIGEST}

    def fail(number: int) -> None:
        if number == 1:
            server.status["ml"] = 500

    with pytest.raises(ModelFailed):
        asked(server.url, 2, fail)


def test_a_server_that_changes_its_mind_for_ever_is_away(server: FakeV2) -> None:
    """It names all columns and takes the least alone."""
    server.parameters, server.takes = {"features_digest": FEATURES_DIGEST}, (LEAST,)
    with pytest.raises((ModelAway, ModelFailed)):
        asked(server.url, 1)


def test_a_model_in_units_of_the_level_is_sent_it(server: FakeV2) -> None:
    """Once its answer says what it is, τ goes with the row, and both chances come back."""
    server.models["ml"] = model = relative()
    found = asked(server.url, 2, row=(*ROW, 0.0009))
    assert server.widths == [FIRST, WITH_TAU, WITH_TAU]
    said = model.model.chances(ROW, 0.0009)
    assert all(each.scores == [said.score] and each.severe == [said.severe] for each in found)


def test_where_no_level_is_known_the_models_own_stands(server: FakeV2) -> None:
    """The answer names it."""
    server.models["ml"] = model = relative()
    [scored] = asked(server.url, 1)
    assert scored.scores == [model.model.chances(ROW, 0.0006).score]
    assert scored.info.default_tau == 0.0006
    assert scored.info.thresholds["spike"]["4"] == 0.3
