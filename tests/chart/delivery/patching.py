"""Strategic merge patches, as far as Helm's patches of the chart's objects need them."""

from typing import Any, Final

KEYS: Final = ("name", "mountPath", "containerPort", "port")
"""By which elements of a list are told apart, in this order."""


def patched(value: Any, change: Any) -> Any:
    """Return a value changed by a patch: null removes a field, lists of named things are merged."""
    if isinstance(change, dict):
        if change.get("$patch") == "replace":
            return {key: each for key, each in change.items() if key != "$patch"}
        return _merged(value if isinstance(value, dict) else {}, change)
    if isinstance(change, list) and isinstance(value, list) and _key(change):
        return _named(value, change)
    return change


def _merged(value: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    for key, each in change.items():
        if key.startswith("$"):
            continue
        if each is None:
            value.pop(key, None)
        else:
            value[key] = patched(value.get(key), each)
    return value


def _named(value: list[Any], change: list[Any]) -> list[Any]:
    key = _key(change)
    found = {each.get(key): each for each in value}
    for each in change:
        if each.get("$patch") == "delete":
            found.pop(each[key], None)
        else:
            found[each[key]] = patched(found.get(each[key]), each)
    return list(found.values())


def _key(elements: list[Any]) -> str | None:
    """Return the field that every element has and that tells them apart."""
    kept = [each for each in elements if isinstance(each, dict)]
    if len(kept) != len(elements) or not kept:
        return None
    return next((key for key in KEYS if all(key in each for each in kept)), None)
