"""Independent sessions, several at a time: on a cluster of processes here, or on one whose scheduler is elsewhere.

Dask runs them. Here it is a scheduler and a process a worker, all behind keys made for this one run, so that nobody
else on the machine can give them work; elsewhere whatever listens at the address. The function goes out once, with all
it carries (weights, rivals), not with each task. Only so many tasks are begun that every worker has one to go on with:
results that nobody has asked for yet do not pile up. A single task is not worth a cluster and is run at once.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from distributed import Client

Item = TypeVar("Item")
Done = TypeVar("Done")

PROCESSES = 2
AHEAD = 1  # tasks that wait for each worker
ANSWER_S = 30.0  # in which a scheduler elsewhere has answered
LOCAL: dict[str, Any] = {
    "distributed.worker.daemon": True,  # it ends when this process does
    "distributed.scheduler.allowed-failures": 0,  # what killed a worker once kills the next
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.admin.tick.limit": "1h",  # a session holds its process up, which is no reason to warn
    "logging": {"distributed": "critical"},  # what went wrong is raised
}


class WorkerDied(ChildProcessError):
    """A worker ended before its task did."""


class Workers(msgspec.Struct, frozen=True):
    """So many processes here, or the workers of the scheduler at `address`."""

    processes: int = PROCESSES
    address: str = ""

    def each(self, run: Callable[[Item], Done], items: Sequence[Item]) -> Generator[Done]:
        """The results in the items' order. Raises WorkerDied, ConnectionError where no scheduler answers, and what
        `run` raises. Whoever stops asking cancels what is left."""
        if not self.address and (self.processes <= 1 or len(items) < 2):
            yield from map(run, items)
        elif items:
            with self._client(len(items)) as client:
                yield from _spread(client, run, items)

    @contextmanager
    def _client(self, tasks: int) -> Iterator[Client]:
        from dask import config
        from distributed import Client, LocalCluster

        if self.address:
            try:
                client = Client(self.address, timeout=ANSWER_S, set_as_default=False)
            except (OSError, TimeoutError, ValueError) as error:
                raise ConnectionError(f"no scheduler answers at {self.address}: {error}") from None
            with client:
                yield client
            return
        count = min(self.processes, tasks)
        with (
            config.set(LOCAL),
            LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                memory_limit=0,
                security=True,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield client


HERE = Workers()


def _spread(client: Client, run: Callable[[Item], Done], items: Sequence[Item]) -> Iterator[Done]:
    from distributed.scheduler import KilledWorker

    begun: deque[Any] = deque()
    waiting = iter(items)
    shared = client.scatter(run, broadcast=True, hash=False)
    try:
        for item in waiting:
            begun.append(client.submit(_call, shared, item, pure=False))
            if len(begun) >= (1 + AHEAD) * max(1, len(client.scheduler_info(n_workers=-1)["workers"])):
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    except KilledWorker as error:
        raise WorkerDied(f"a worker died over its task ({error.last_worker.address}): out of memory?") from None
    finally:
        client.cancel([*begun, shared], force=True)


def _call(run: Callable[[Item], Done], item: Item) -> Done:
    return run(item)
