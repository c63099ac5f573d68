"""What a dataset says of itself, and when it is another one."""

from pathlib import Path

import msgspec
import pytest

from training.data.captures import Capture
from training.data.manifest import decode, digest_of, manifest_of, tau_rule
from training.errors import DatasetError

HOUR_US = 3_600_000_000


def capture(number: int, first_us: int) -> Capture:
    """Return a capture of an hour."""
    return Capture(
        file=f"{number}.ndjson",
        sha256=f"{number:064x}",
        dialect="advanced",
        first_us=first_us,
        last_us=first_us + HOUR_US,
        counts={"rows_usable": 10, "longest_gap_s": number, "gaps": 1},
        rows={"BTC-USD": {"usable": 10}},
        coverage={},
    )


CAPTURES = capture(1, 0), capture(2, HOUR_US), capture(3, 20 * HOUR_US)


def test_it_names_groups_and_counts_all() -> None:
    """Captures close in time are one group; counts add up, the longest gap is the longest."""
    made = manifest_of(CAPTURES, (("x.ndjson", "too short"),), tau_rule(90))
    assert made.group == (0, 0, 1)
    assert made.counts["rows_usable"] == 30 and made.counts["longest_gap_s"] == 3
    assert (made.counts["captures"], made.counts["left_out"]) == (3, 1)


def test_the_digest_is_of_inputs_and_definitions() -> None:
    """The order of the inputs does not matter; another input or another τ is another dataset."""
    whole = digest_of(["a", "b"], tau_rule(90))
    assert digest_of(["b", "a"], tau_rule(90)) == whole
    assert len({whole, digest_of(["a"], tau_rule(90)), digest_of(["a", "b"], tau_rule(95))}) == 3


def test_what_is_written_is_read() -> None:
    """As it stands in the metadata of a Parquet file."""
    made = manifest_of(CAPTURES, (), tau_rule(90))
    assert decode(msgspec.json.encode(made), Path("set.parquet")) == made


def test_another_dataset_is_refused() -> None:
    """By its definitions of features, and where it is none at all, by its name."""
    made = manifest_of(CAPTURES, (), tau_rule(90))
    other = msgspec.structs.replace(made, features_digest="0" * 64)
    with pytest.raises(DatasetError, match=r"set.parquet: found feature definitions 0{12}"):
        decode(msgspec.json.encode(other), Path("set.parquet"))
    with pytest.raises(DatasetError, match="in its metadata, expected a dataset's"):
        decode(b"{}", Path("set.parquet"))
