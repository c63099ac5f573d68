"""Keys, ids and signatures as Standard Webhooks has them."""

import pytest

from monitor.delivery.standard_webhooks import check_address, headers, key_of, message_id

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_signature_is_that_of_the_published_example() -> None:
    """Of id, timestamp and body, by HMAC-SHA256 in base64."""
    name, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'
    made = headers(name, 1614265330, body, key_of(SECRET))
    assert made == {
        "webhook-id": name,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    ("secret", "found"),
    [
        ("", "does not begin with whsec_"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"),
        ("whsec_not base64!", "is no base64"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8I", "15 bytes"),
    ],
)
def test_what_is_no_secret_is_refused_without_repeating_it(secret: str, found: str) -> None:
    """The message goes into logs."""
    with pytest.raises(ValueError, match=found) as caught:
        key_of(secret)
    assert "expected whsec_" in str(caught.value)
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize("url", ["hook", "ftp://host/x", "https://", "file:///etc/passwd"])
def test_what_is_no_address_of_http_is_refused(url: str) -> None:
    """Nothing else can be posted to."""
    with pytest.raises(ValueError, match="expected https://host/"):
        check_address(url)


def test_the_id_is_made_from_what_is_told() -> None:
    """Told again, in whatever order, it is the same; anything else has another."""
    assert message_id(["a", "b"]) == message_id(["b", "a"]) != message_id(["a"])
    assert message_id(["a"]).startswith("msg_")
