"""Names of clients; what the adapter makes of them is in tests/adapter/test_limits.py."""

import pytest

from plumbing.clients import ClientRegistry, Unauthorized, brought_key, clients_of


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
