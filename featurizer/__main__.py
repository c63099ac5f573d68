"""``python -m featurizer``: topic ``ticks`` → topic ``features``."""

from featurizer.config import Settings
from featurizer.service import open_worker
from plumbing.kafka import KafkaSettings
from plumbing.process import Process


def main() -> None:
    """Settings → open → loop → close."""
    settings = Settings()
    with Process("featurizer", settings, stalled_after=180) as process:
        open_worker(settings, KafkaSettings(), process).run()


if __name__ == "__main__":
    main()
