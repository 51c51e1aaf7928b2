"""Independent work, spread over processes here or over those of a scheduler elsewhere."""

from __future__ import annotations

import os
from functools import partial

import pytest
from distributed import LocalCluster

from engine.research.cluster import WorkerDied, Workers

pytestmark = pytest.mark.processes


def scaled(item: int, carried: bytes) -> tuple[int, int]:
    return item * len(carried), os.getpid()


def refused(item: int) -> int:
    raise ValueError(f"{item} is refused")


def deadly(item: int) -> int:
    if item == 2:
        os._exit(9)
    return item


def test_results_come_in_the_items_order_from_several_processes() -> None:
    found = list(Workers(2).each(partial(scaled, carried=b"x" * 3), range(9)))
    assert [value for value, _ in found] == [3 * k for k in range(9)]
    assert len({process for _, process in found} - {os.getpid()}) == 2


@pytest.mark.parametrize(("processes", "items"), [(1, [1, 2, 3]), (4, [1]), (4, [])])
def test_what_is_not_worth_a_cluster_is_run_here(processes: int, items: list[int]) -> None:
    found = list(Workers(processes).each(partial(scaled, carried=b"x"), items))
    assert found == [(item, os.getpid()) for item in items]


def test_what_a_task_raises_is_raised_and_whoever_stops_asking_waits_for_nothing() -> None:
    with pytest.raises(ValueError, match="0 is refused"):
        list(Workers(2).each(refused, range(4)))
    results = Workers(2).each(partial(scaled, carried=b"x"), range(10_000))
    assert next(results)[0] == 0
    results.close()


def test_a_worker_that_dies_is_said_to_have() -> None:
    with pytest.raises(WorkerDied, match="a worker died"):
        list(Workers(2).each(deadly, range(6)))


def test_a_scheduler_elsewhere_is_asked_by_its_address() -> None:
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        there = Workers(address=cluster.scheduler_address)
        assert [value for value, _ in there.each(partial(scaled, carried=b"xy"), [5])] == [10], "one task, too"
        assert [value for value, _ in there.each(partial(scaled, carried=b"xy"), range(3))] == [0, 2, 4]


def test_no_scheduler_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.research.cluster.ANSWER_S", 0.2)
    with pytest.raises(ConnectionError, match=r"no scheduler answers at tcp://127\.0\.0\.1:1"):
        list(Workers(address="tcp://127.0.0.1:1").each(abs, [1]))
