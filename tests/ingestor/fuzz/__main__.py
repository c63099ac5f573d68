"""``python -m tests.ingestor.fuzz``: N spoilt frames from a SEED, and what became of them."""

import logging
import os
import random
import sys
import time

import structlog

from tests.ingestor.fuzz.fates import fates_of
from tests.ingestor.fuzz.mutator import PRODUCTS, spoilt_frames

PART = 100_000
"""Frames of one connection; the next begins with the next seed."""


def main() -> int:
    """Print the seed first, so that what is found can be found again."""
    count = int(os.environ.get("N") or 1_000_000)
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(f"seed      {seed}, {count} frames", flush=True)
    began, reasons = time.process_time(), {}
    for part in range(-(-count // PART)):
        made = spoilt_frames(seed + part, min(PART, count - part * PART))
        fates = fates_of(made, PRODUCTS)
        print(
            f"seed {seed + part}: {fates.frames} frames, {fates.events} events,"
            f" {fates.letters} dead letters, {fates.lines} lines of the ledger",
            flush=True,
        )
        for reason, n in fates.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + n
    for reason, n in sorted(reasons.items(), key=lambda each: -each[1])[:40]:
        print(f"{n:>9} {reason}")
    print(f"cpu       {time.process_time() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
