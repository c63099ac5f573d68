"""Who a client is and how much it may send."""

import pytest

from adapter.limit import Limit
from featurizer.features import NAMES
from plumbing.clients import Unauthorized, brought_key, clients_of


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_hundred_requests_a_minute_and_no_more(adapter, row):
    """The 101st request within a minute is a 429; a minute after the first it goes on."""
    front = adapter()
    answers = [front.predict(row) for _ in range(100)]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].headers["ratelimit-limit"] == "100"
    assert answers[0].headers["ratelimit-remaining"] == "99"
    front.clock.now += 45.5
    refused = front.predict(row)
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == refused.headers["ratelimit-reset"] == "15"
    assert refused.headers["ratelimit-remaining"] == "0"
    assert front.sample("adapter_rate_limited_total", route="/predict") == 1
    front.clock.now += 14.5
    assert front.predict(row).status_code == 200


def test_v2_inference_counts_into_the_same_limit(adapter, row):
    """/predict and V2 inference share a client's allowance; metadata is free."""
    front = adapter(rate_limit="2/minute")
    front.predict(row)
    width = len(NAMES)
    tensor = {"name": "features", "shape": [1, width], "datatype": "FP64", "data": [0.5] * width}
    body = {"inputs": [tensor]}
    assert front.client.post("/v2/models/ml/infer", json=body).status_code == 200
    assert front.client.post("/v2/models/ml/infer", json=body).status_code == 429
    assert front.predict(row).status_code == 429
    for path in ("/v2/models/ml", "/health", "/version", "/metrics"):
        assert front.client.get(path).status_code == 200


def test_a_wrong_request_counts_too(adapter):
    """A client's errors use up its allowance: refusing them costs us as well."""
    front = adapter(rate_limit="1/minute")
    assert front.predict({}).status_code == 422
    assert front.predict({}).status_code == 429


def test_keys_are_asked_for_when_there_are_any(adapter, row):
    """With keys on, none or a wrong one is a 401; each right one has its own allowance."""
    front = adapter(api_keys="ann:secret-a,bob:secret-b", rate_limit="1/minute")
    for headers in ({}, {"X-API-Key": "no"}, {"Authorization": "Bearer no"}):
        refused = front.predict(row, headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert "secret" not in refused.text
    assert front.predict(row, headers={"X-API-Key": "secret-a"}).status_code == 200
    assert front.predict(row, headers={"Authorization": "Bearer secret-b"}).status_code == 200
    assert front.predict(row, headers={"Authorization": "bearer secret-a"}).status_code == 429
    assert front.client.get("/health").status_code == 200


def test_the_prober_is_counted_apart(adapter, row):
    """The prober's key gives it an allowance of its own, also where no keys are asked for."""
    front = adapter(prober_key="probe", rate_limit="1/minute")
    assert front.predict(row).status_code == 200
    assert front.predict(row).status_code == 429
    assert front.predict(row, headers={"X-API-Key": "probe"}).status_code == 200


def test_keys_do_not_show_in_settings(adapter):
    """A settings object that is logged does not give keys away."""
    from adapter.config import Settings

    settings = Settings(api_keys="ann:secret-a", prober_key="secret-p")
    assert "secret-" not in repr(settings)


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (0, "10.0.0.1", "192.0.2.9"),
        (1, "", "192.0.2.9"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "6.6.6.6,203.0.113.7,10.0.0.1", "203.0.113.7"),
        (5, "203.0.113.7,10.0.0.1", "203.0.113.7"),
    ],
)
def test_only_addresses_added_by_our_own_proxies_are_believed(hops, forwarded, expected):
    """Counted from the right: what stands further left the client may have invented."""
    clients = clients_of("", "", hops)
    assert clients.name(None, forwarded, "192.0.2.9") == f"address:{expected}"


def test_an_invented_header_line_does_not_help(adapter, row):
    """A proxy may add a line of its own; the client's line before it is not believed."""
    front = adapter(trusted_proxy_hops=1, rate_limit="1/minute")

    def ask(invented: str) -> int:
        lines = [("X-Forwarded-For", invented), ("X-Forwarded-For", "203.0.113.7")]
        return front.predict(row, headers=lines).status_code

    assert [ask("1.1.1.1"), ask("2.2.2.2")] == [200, 429]


def test_who_comes_past_the_proxies_invents_in_vain(adapter, row):
    """The test client connects from no network of ours: its header opens no new allowance."""
    front = adapter(trusted_proxy_hops=1, trusted_proxies="192.0.2.0/24", rate_limit="1/minute")
    answers = [
        front.predict(row, headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code
        for number in range(2)
    ]
    assert answers == [200, 429]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"trusted_proxies": "10.0.0.0/8"}, "trusted_proxy_hops 0"),
        ({"trusted_proxies": "nginx", "trusted_proxy_hops": 1}, "nginx"),
    ],
)
def test_proxies_that_say_nothing_are_refused(given, said):
    """Networks without a number of proxies, or names in their place, end the start."""
    from adapter.config import Settings

    with pytest.raises(ValueError, match=said):
        Settings(**given)


def test_an_unknown_key_is_no_client_of_its_own():
    """With keys off a key that nobody knows does not open a new allowance."""
    clients = clients_of("", "probe", 0)
    assert clients.name("made-up", "", "192.0.2.9") == "address:192.0.2.9"
    assert clients.name("probe", "", "192.0.2.9") == "key:prober"


@pytest.mark.parametrize("keys", ["s3cret", "ann:", ":s3cret", "ann:s3cret,bob:s3cret"])
def test_keys_that_cannot_be_read_are_refused(keys):
    """An entry without name or key, or a key twice, ends the start; keys are not shown."""
    with pytest.raises(ValueError, match="expected") as error:
        clients_of(keys, "", 0)
    assert "s3cret" not in str(error.value)


def test_a_key_of_strange_characters_is_just_wrong():
    """No key can make the comparison fail."""
    with pytest.raises(Unauthorized):
        clients_of("ann:secret", "", 0).name("\udcff€", "", "192.0.2.9")


def test_a_key_comes_in_either_header():
    """X-API-Key goes before Authorization; Basic is no key."""
    assert brought_key("a", "Bearer b") == "a"
    assert brought_key(None, "Bearer b") == "b"
    assert brought_key(None, "Basic b") is None
    assert brought_key(None, None) is None


def test_clients_that_went_away_are_forgotten():
    """What is kept does not grow with all the clients there ever were."""
    clock = _Clock()
    limit = Limit("1/second", clock)
    for client in range(1000):
        limit.hit(str(client))
    clock.now += 61
    limit.hit("last")
    assert limit._limiter.storage.reset() == 1


def test_a_limit_that_cannot_be_read_ends_the_start():
    """A limit must say how many in which time."""
    from adapter.config import Settings

    with pytest.raises(ValueError, match="rate_limit"):
        Settings(rate_limit="many")


@pytest.mark.parametrize(
    "spellings",
    [
        [
            "203.0.113.9",
            "203.0.113.9:50000",
            "203.0.113.9:50001",
            "::ffff:203.0.113.9",
            '"203.0.113.9"',
        ],
        ["2001:db8:0:1::1", "2001:db8:0:1::ffff", "[2001:db8:0:1::2]:443", "2001:DB8:0:1::3"],
        ["fe80::1%eth0", "fe80::2"],
    ],
)
def test_one_client_has_one_name_however_it_is_spelled(spellings):
    """Ports, brackets, mapped addresses and the rest of an IPv6 /64 are the same client."""
    clients = clients_of("", "", 1)
    assert len({clients.name(None, spelled, "10.0.0.1") for spelled in spellings}) == 1


def test_different_clients_have_different_names():
    """Neighbouring /64s and addresses; what is no address stays what it is."""
    clients = clients_of("", "", 1)
    seen = ["203.0.113.9", "203.0.113.10", "2001:db8:0:1::1", "2001:db8:0:2::1", "unknown", "a:b:c"]
    assert len({clients.name(None, each, "10.0.0.1") for each in seen}) == len(seen)
