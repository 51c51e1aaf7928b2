"""Nothing leaves before its fact is durable; what may not wait does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.messages import Call, Effect, Fact, Hangup, Reconciled
from engine.shell.store.outbox import Outbox

Event = tuple[str, object]


class Shell:
    """What an outbox is wired to, written down in the order in which it happened."""

    def __init__(self) -> None:
        self.log: list[Event] = []
        self.up = True
        self.stale: dict[str, str] = {}
        self.after_sent: Callable[[Call], None] = lambda call: None
        self.outbox = Outbox(self.write, self.perform, self.check, self.on_sent, self.on_failed)

    def write(self, facts: Sequence[Fact]) -> None:
        self.log.append(("facts", [fact.n for fact in facts]))

    def perform(self, effect: Effect) -> bool:
        self.log.append(("out", effect.id if isinstance(effect, Call) else "hangup"))
        return self.up

    def check(self, call: Call) -> str:
        self.log.append(("check", call.id))
        return self.stale.get(call.id, "")

    def on_sent(self, call: Call) -> None:
        self.log.append(("sent", call.id))
        self.after_sent(call)

    def on_failed(self, call: Call, reason: str) -> None:
        self.log.append(("failed", (call.id, reason)))

    def taken(self) -> list[Event]:
        log, self.log = self.log, []
        return log


def order(name: str, after: int) -> Call:
    return Call(id=name, method="private/buy", params={}, after=after, child=f"child of {name}")


def cancel(name: str) -> Call:
    return Call(id=name, method="private/cancel", params={})


def ask(name: str, after: int) -> Call:
    return Call(id=name, method="private/get_order_state_by_label", params={}, after=after)


def facts(*numbers: int) -> list[Fact]:
    return [Reconciled(n=n, differences=()) for n in numbers]


@pytest.fixture
def shell() -> Shell:
    return Shell()


def test_an_order_waits_for_its_fact(shell: Shell) -> None:
    shell.outbox.put(facts(1, 2), [order("a", 2)])
    assert shell.taken() == [("facts", [1, 2])]
    shell.outbox.durable(1)
    assert shell.taken() == []
    shell.outbox.durable(2)
    assert shell.taken() == [("check", "a"), ("out", "a"), ("sent", "a")]
    shell.outbox.durable(3)
    assert shell.taken() == []
    assert shell.outbox.waiting == 0


@pytest.mark.parametrize("effect", [cancel("c"), ask("q", 0), Hangup(reason="the book is crossed")])
def test_what_may_not_wait_leaves_at_once_and_unchecked(shell: Shell, effect: Effect) -> None:
    shell.outbox.put(facts(1), [order("a", 1), effect])
    name = effect.id if isinstance(effect, Call) else "hangup"
    assert shell.taken() == [("facts", [1]), ("out", name)]


def test_an_order_at_once_is_reported_as_well(shell: Shell) -> None:
    shell.outbox.put([], [order("a", 0)])
    shell.up = False
    shell.outbox.put([], [order("b", 0)])
    assert shell.taken() == [("out", "a"), ("sent", "a"), ("out", "b"), ("failed", ("b", "the link is down"))]


def test_what_is_durable_already_still_gets_its_second_look(shell: Shell) -> None:
    shell.outbox.durable(9)
    shell.outbox.put([], [order("a", 5)])
    assert shell.taken() == [("check", "a"), ("out", "a"), ("sent", "a")]


def test_a_call_that_went_stale_while_it_waited_fails_with_the_reason(shell: Shell) -> None:
    shell.outbox.put(facts(1), [order("a", 1), order("b", 1), ask("q", 1)])
    shell.taken()
    shell.stale = {"a": "the book is stale", "q": "killed"}
    shell.outbox.durable(1)
    assert shell.taken() == [
        ("check", "a"), ("failed", ("a", "the book is stale")),
        ("check", "b"), ("out", "b"), ("sent", "b"),
        ("check", "q"), ("failed", ("q", "killed")),
    ]  # fmt: skip


def test_a_link_that_is_down_is_told_for_orders_only(shell: Shell) -> None:
    shell.up = False
    shell.outbox.put(facts(1), [order("a", 1), ask("q", 1)])
    shell.outbox.durable(1)
    assert shell.taken()[1:] == [
        ("check", "a"), ("out", "a"), ("failed", ("a", "the link is down")),
        ("check", "q"), ("out", "q"),
    ]  # fmt: skip


def test_order_is_kept_also_when_numbers_are_not_in_order(shell: Shell) -> None:
    shell.outbox.put(facts(1, 2, 3), [order("a", 3), order("b", 1), order("c", 2)])
    shell.outbox.durable(2)
    assert shell.taken() == [("facts", [1, 2, 3])]
    shell.outbox.durable(3)
    assert [name for what, name in shell.taken() if what == "out"] == ["a", "b", "c"]


def test_a_durable_number_never_goes_back(shell: Shell) -> None:
    shell.outbox.durable(5)
    shell.outbox.durable(2)
    shell.outbox.put([], [order("a", 5)])
    assert ("out", "a") in shell.taken()


def test_broken_fails_what_waits_and_what_would_wait_but_cancels_still_go(shell: Shell) -> None:
    shell.outbox.put(facts(1), [order("a", 1)])
    shell.taken()
    shell.outbox.break_off("the journal cannot be written")
    assert shell.taken() == [("failed", ("a", "the journal cannot be written"))]
    shell.outbox.put(facts(2), [order("b", 2), cancel("c"), order("d", 1)])
    shell.outbox.durable(9)
    shell.outbox.break_off("again")
    assert shell.taken() == [
        ("facts", [2]),  # the writer keeps them until it can write again
        ("out", "c"),
        ("failed", ("b", "the journal cannot be written")),
        ("failed", ("d", "the journal cannot be written")),
    ]


def test_what_a_report_leads_to_comes_after_the_facts_that_led_to_it(shell: Shell) -> None:
    shell.after_sent = lambda call: (
        shell.outbox.put(facts(10), [order("late", 2), cancel("at once")]) if call.id == "a" else None
    )
    shell.outbox.put(facts(1, 2), [order("a", 1), order("b", 2)])
    shell.outbox.durable(2)
    assert shell.taken() == [
        ("facts", [1, 2]),
        ("check", "a"), ("out", "a"), ("sent", "a"), ("facts", [10]), ("out", "at once"),
        ("check", "b"), ("out", "b"), ("sent", "b"),
        ("check", "late"), ("out", "late"), ("sent", "late"),
    ]  # fmt: skip


def test_facts_of_a_report_on_an_effect_at_once_follow_the_facts_before(shell: Shell) -> None:
    shell.after_sent = lambda call: shell.outbox.put(facts(2), [])
    shell.outbox.put(facts(1), [order("a", 0)])
    assert [event for event in shell.taken() if event[0] == "facts"] == [("facts", [1]), ("facts", [2])]


def test_a_perform_that_raises_does_not_jam_it(shell: Shell) -> None:
    def explode(call: Call) -> None:
        raise RuntimeError(call.id)

    shell.after_sent = explode
    shell.outbox.put(facts(1), [order("a", 1), order("b", 1)])
    with pytest.raises(RuntimeError):
        shell.outbox.durable(1)
    shell.after_sent = lambda call: None
    shell.outbox.durable(1)
    assert ("sent", "b") in shell.taken()


def test_once_mended_calls_wait_for_their_facts_again(shell: Shell) -> None:
    shell.outbox.break_off("the journal cannot be written")
    shell.outbox.mend()
    shell.outbox.put(facts(3), [order("e", 3)])
    assert shell.taken() == [("facts", [3])]
    shell.outbox.durable(3)
    assert ("out", "e") in shell.taken()


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(st.integers(0, 12), max_size=4)),
        st.tuples(st.just("durable"), st.integers(0, 12)),
        st.tuples(st.just("break"), st.just(0)),
    ),
    max_size=30,
)


@given(steps)
def test_always_each_once_in_order_and_never_before_its_fact(script: list[tuple[str, int | list[int]]]) -> None:
    shell, durable, broken = Shell(), 0, False
    held: list[Call] = []
    count = 0
    for what, value in script:
        before = len(shell.log)
        if isinstance(value, list):
            calls = [order(f"{count + i}", after) for i, after in enumerate(value)]
            count += len(calls)
            held += [call for call in calls if call.after]
            shell.outbox.put([], calls)
        elif what == "durable":
            durable = max(durable, value)
            shell.outbox.durable(value)
        else:
            broken = True
            shell.outbox.break_off("broken")
        by_id = {call.id: call for call in held}
        out = [by_id[str(name)] for event, name in shell.log[before:] if event == "out" and name in by_id]
        assert all(call.after <= durable and not broken for call in out)
    ended = [name if event == "out" else name[0] for event, name in shell.log if event in ("out", "failed")]  # type: ignore[index]
    assert len(ended) == len(set(ended))
    waited = [name for name in ended if name in {call.id for call in held}]
    assert waited == [call.id for call in held][: len(waited)]
    assert len(waited) + shell.outbox.waiting == len(held)
