"""The files of the page: what is sent, and that what is from elsewhere is what it was."""

import hashlib
import re

import pytest

from monitor.page.assets import asset_of, page_assets, read_files

ASSETS = page_assets()
VENDOR = "vendor/"


def test_kind_and_tag_come_from_name_and_bytes() -> None:
    """Equal bytes have equal tags, others have others; what has no kind is not sent."""
    one, again, other = asset_of("a.js", b"1"), asset_of("b.js", b"1"), asset_of("a.js", b"2")
    assert one is not None and again is not None and other is not None
    assert (one.kind, one.etag) == ("text/javascript", again.etag)
    assert other.etag != one.etag
    assert asset_of("vendor/LICENSE", b"") is None


@pytest.mark.parametrize(
    ("header", "held"), [("", False), ("*", True), ('"x"', False), ('W/"x", W/{tag}', True)]
)
def test_a_tag_is_recognised(header: str, held: bool) -> None:
    """Among others, and as a weak one, which a proxy that packs makes of it."""
    asset = asset_of("a.css", b"body {}")
    assert asset is not None
    assert asset.is_held(header.replace("{tag}", asset.etag)) is held


def test_what_is_from_elsewhere_is_what_its_sums_say() -> None:
    """uPlot and its licence are in the package, bytes unchanged."""
    files = dict(read_files())
    sums = files[f"{VENDOR}SHA256SUMS"].decode().splitlines()
    stated = {name: digest for digest, name in (line.split() for line in sums)}
    found = {path.removeprefix(VENDOR): body for path, body in files.items() if VENDOR in path}
    assert {name for name in found if name != "SHA256SUMS"} == set(stated)
    for name, digest in stated.items():
        assert hashlib.sha256(found[name]).hexdigest() == digest, name
    assert b"MIT License" in found["LICENSE"]


def test_nothing_is_inline_or_from_another_origin() -> None:
    """What the page forbids by its policy does not stand in it."""
    page = ASSETS["index.html"].body.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)|\bstyle=|\bon\w+=|<style|javascript:", page) == []
    for path, asset in ASSETS.items():
        if not path.startswith(VENDOR) and not path.endswith(".svg"):
            assert b"://" not in asset.body, path


def test_every_address_in_the_page_is_relative_and_there() -> None:
    """So that it works behind a prefix; a module that is imported is a file of the page."""
    addresses = re.findall(r'(?:href|src)="([^"]+)"', ASSETS["index.html"].body.decode())
    assert [each for each in addresses if each.startswith("/")] == []
    named = {each.removeprefix("page/") for each in addresses if each.startswith("page/")}
    for path, asset in ASSETS.items():
        if path.endswith(".js") and not path.startswith(VENDOR):
            named.update(re.findall(r'from "\./([^"]+)"', asset.body.decode()))
    assert named <= set(ASSETS)
    assert {path for path in ASSETS if path.endswith((".js", ".css"))} <= named
