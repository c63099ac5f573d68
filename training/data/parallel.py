"""Where tasks run: in this process, in processes of this machine, or on a Dask cluster.

All is joblib's backend, so that scikit-learn's ``n_jobs`` runs there too::

    with executor.using():
        GridSearchCV(…, n_jobs=executor.jobs).fit(…)
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import joblib

from training.errors import TrainingError

BackendName = Literal["sequential", "processes", "dask"]
_JOBLIB: Final = {"sequential": "sequential", "processes": "loky"}

T = TypeVar("T")
R = TypeVar("R")
Done = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Executor:
    """Where tasks run; ``jobs`` at once, -1 for all there is room for.

    ``address`` is the Dask scheduler's, such as ``tcp://scheduler:8786``. Its workers need this
    package, and see the data and the output's folder at the same paths.
    """

    backend: BackendName = "sequential"
    jobs: int = -1
    address: str = ""

    @contextmanager
    def using(self) -> Iterator[None]:
        """Have joblib, and so scikit-learn, run its tasks here.

        Raises:
            TrainingError: Dask is not installed, or there is no scheduler at the address.
        """
        if self.backend != "dask":
            with joblib.parallel_config(backend=_JOBLIB[self.backend], n_jobs=self.jobs):
                yield
            return
        with _client(self.address), joblib.parallel_config(backend="dask", n_jobs=self.jobs):
            yield

    def alone(self, count: int) -> bool:
        """Return whether so many tasks run in this process: none, or one, pays for no other."""
        return self.backend == "sequential" or (self.backend == "processes" and count < 2)

    def run(self, task: Callable[[T], R], inputs: Sequence[T], done: Done) -> list[R]:
        """Return each input's result, in their order; ``done`` gets an input's number after it."""
        if self.alone(len(inputs)):
            return [_notified(task(given), at, done) for at, given in enumerate(inputs)]
        # Dask's backend gives no results before all are there.
        how = {} if self.backend == "dask" else {"return_as": "generator"}
        with self.using():
            found = joblib.Parallel(**how)(joblib.delayed(task)(given) for given in inputs)
            return [_notified(result, at, done) for at, result in enumerate(found)]


IN_PROCESS: Final = Executor()
"""In this process, one after the other."""


def _notified(result: R, number: int, done: Done) -> R:
    done(number)
    return result


def _client(address: str) -> Any:
    """Connect to a Dask scheduler; a Client is a context manager."""
    if not address:
        raise TrainingError(
            "found TRAINING_BACKEND=dask without TRAINING_DASK_ADDRESS, expected the scheduler's"
            " address, such as tcp://scheduler:8786"
        )
    try:
        from distributed import Client  # an extra: the import alone takes a second
    except ImportError as exc:
        raise TrainingError(
            "found no Dask, expected it for TRAINING_BACKEND=dask:"
            " install the extra, pip install 'crypto-volatility[dask]'"
        ) from exc
    try:
        return Client(address, set_as_default=True, timeout=10)
    except (OSError, TimeoutError) as exc:
        raise TrainingError(f"found no Dask scheduler at {address}: {exc}") from exc
