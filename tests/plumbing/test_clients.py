"""Names of clients; what the adapter makes of them is in tests/adapter/test_limits.py."""

import pytest

from plumbing.clients import ClientRegistry, Unauthorized, brought_key, clients_of, networks_of


def test_a_key_has_the_name_of_its_entry() -> None:
    """Spaces around entries say nothing; a key may have colons."""
    clients = clients_of(" ann:a:1 , bob:b ", "", 0)
    assert clients == ClientRegistry({"a:1": "ann", "b": "bob"}, True)
    assert clients.name("a:1", "", "192.0.2.9") == "key:ann"
    with pytest.raises(Unauthorized):
        clients.name("a", "", "192.0.2.9")


def test_without_keys_a_client_is_its_address() -> None:
    """And none is turned away."""
    assert clients_of("", "", 0).name(None, "", "192.0.2.9:1") == "address:192.0.2.9"


def test_bearer_is_of_any_case_and_never_empty() -> None:
    """As RFC 6750 and RFC 9110 have it."""
    assert [brought_key(None, text) for text in ("bEARER k", "Bearer ", "Bearer")] == [
        "k",
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("10.244.1.7", "203.0.113.7", "203.0.113.7"),
        ("::ffff:10.244.1.7", "203.0.113.7", "203.0.113.7"),
        ("fd00::7", "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        ("10.244.1.7", "", "10.244.1.7"),
        ("10.245.1.7", "203.0.113.7", "10.245.1.7"),
        ("2001:db8::1", "10.244.1.7", "2001:db8::/64"),
        ("unknown", "203.0.113.7", "unknown"),
    ],
)
def test_only_a_proxy_in_our_networks_is_believed(peer: str, forwarded: str, expected: str) -> None:
    """Whoever connects from elsewhere is counted by its own address, whatever it sends."""
    clients = clients_of("", "", 1, "10.244.0.0/16, fd00::/8")
    assert clients.name(None, forwarded, peer) == f"address:{expected}"


@pytest.mark.parametrize("text", ["10.244.0.1/16", "ingress-nginx", "10.0.0.0/33"])
def test_networks_that_cannot_be_read_are_refused(text: str) -> None:
    """A name is no network, and bits of a host are a mistake in one or the other."""
    with pytest.raises(ValueError, match=text.partition("/")[0]):
        networks_of(text)
