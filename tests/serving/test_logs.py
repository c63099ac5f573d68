"""MLServer's records become one JSON object each."""

import json
import logging

from serving.logs import json_lines


def record_of(**extra: object) -> logging.LogRecord:
    """A record as MLServer's logger makes it."""
    logger = logging.getLogger("mlserver")
    return logger.makeRecord(
        "mlserver", logging.ERROR, "f", 1, "model.%s", ("x",), None, extra=extra
    )


def test_record_is_one_json_object() -> None:
    """Event, level, logger and service are fields."""
    line = json.loads(json_lines().format(record_of()))
    assert line.pop("timestamp").endswith("Z")
    expected = {"event": "model.x", "level": "error", "logger": "mlserver", "service": "mlserver"}
    assert line == expected


def test_our_fields_pass_and_others_do_not() -> None:
    """The reason of a refusal is a field; what uvicorn adds for terminals is not."""
    line = json.loads(json_lines().format(record_of(reason="bad", color_message="\x1b[1m")))
    assert line["reason"] == "bad"
    assert "color_message" not in line


def test_traceback_stays_in_its_line() -> None:
    """An exception is one field with newlines escaped."""
    record = record_of()
    try:
        raise ValueError("found 1, expected 2")
    except ValueError as exc:
        record.exc_info = (type(exc), exc, exc.__traceback__)
    text = json_lines().format(record)
    assert "\n" not in text
    assert json.loads(text)["exception"].endswith("ValueError: found 1, expected 2")
