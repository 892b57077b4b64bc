"""Marking on a Dask cluster, through joblib's backend, for courses that outgrow one machine.

Every machine must see the key and the folder under the same paths. Each batch is marked by a
process of its own on its machine, so that time limits hold there too.
"""

from collections.abc import Iterator, Sequence

from cnncalc.errors import CnncalcError
from cnncalc.homework.grading.pool import mark_all
from cnncalc.homework.grading.records import Record
from cnncalc.homework.grading.worker import Settings, Task

#: Files to a batch: a process takes a second to start, and a lost machine costs one batch.
_BATCH = 32

_WAIT_SECONDS = 30


class ClusterError(CnncalcError):
    """A cluster that cannot be used; `help` is the way out."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


def mark_on_cluster(
    tasks: Sequence[Task], settings: Settings, address: str
) -> Iterator[tuple[Task, Record]]:
    """Every file with its marks, batch after batch as they are done.

    Args:
        address: of the scheduler, such as ``tcp://10.0.0.7:8786``.

    Raises:
        ClusterError: if the cluster cannot be reached, or Dask is not installed.
    """
    try:
        from distributed import Client
        from joblib import Parallel, delayed, parallel_config
    except ImportError:
        raise ClusterError(
            "marking on a cluster needs Dask and joblib", 'pip install "cnncalc[cluster]"'
        ) from None
    try:
        client = Client(address, timeout=_WAIT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, TimeoutError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at `{address}` ({type(error).__name__})",
            "--address is what `dask scheduler` prints: tcp://HOST:8786",
        ) from None
    with client:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            raise ClusterError(
                f"the Dask scheduler at `{address}` has no workers",
                f"start some: dask worker {address}",
            )
        slots = sum(worker["nthreads"] for worker in workers.values())
        size = max(1, min(_BATCH, len(tasks) // (2 * slots)))
        batches = [tasks[start : start + size] for start in range(0, len(tasks), size)]
        with parallel_config(backend="dask", client=client, wait_for_workers_timeout=_WAIT_SECONDS):
            for done in Parallel(return_as="generator_unordered")(
                delayed(mark_batch)(batch, settings) for batch in batches
            ):
                yield from done


def mark_batch(tasks: Sequence[Task], settings: Settings) -> list[tuple[Task, Record]]:
    """A batch, on the machine that it was sent to."""
    return list(mark_all(tasks, settings, jobs=1))
