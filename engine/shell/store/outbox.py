"""The outbox: an effect leaves when the fact it stands on is durable, and not before.

Facts go on to the journal's writer, effects wait here in order. Those with `after` 0 (cancels, the kill,
subscriptions, heartbeats, hang-ups) never wait, not even for a journal that is broken. A call that waited is looked
at once more when its time comes, since the book may have moved on meanwhile; then it is performed, or reported as
failed with a reason. Nothing here knows threads or time: the durable number is told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from engine.messages import Call, Effect, Fact

LINK_DOWN = "the link is down"


class Outbox:
    """`write(facts)` hands facts to the journal's writer; `perform(effect)` says whether it could be done;
    `check(call)` gives "" for go or a reason; `on_sent(call)` and `on_failed(call, reason)` hear of calls.

    `check` must also know what left at once meanwhile: a cancel or a kill overtakes the order that still waits.
    The callables may call `put` themselves.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Fact]], None],
        perform: Callable[[Effect], bool],
        check: Callable[[Call], str],
        on_sent: Callable[[Call], None],
        on_failed: Callable[[Call, str], None],
    ) -> None:
        self._write, self._perform, self._check = write, perform, check
        self._on_sent, self._on_failed = on_sent, on_failed
        self._waiting: deque[Call] = deque()
        self._durable = 0
        self._broken = ""
        self._releasing = False

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def kept(self) -> int:
        """Number of the last fact that is durable."""
        return self._durable

    def put(self, facts: Sequence[Fact], effects: Sequence[Effect]) -> None:
        """Hands the facts on, performs at once what may not wait, keeps the rest until it is durable."""
        if facts:  # first of all: what `on_sent` leads to has later numbers
            self._write(facts)
        self._waiting.extend(effect for effect in effects if isinstance(effect, Call) and effect.after)
        for effect in effects:
            if not (isinstance(effect, Call) and effect.after):
                self._do(effect)
        self._release()

    def durable(self, n: int) -> None:
        """All facts up to `n` are durable."""
        self._durable = max(self._durable, n)
        self._release()

    def break_off(self, reason: str) -> None:
        """The journal is broken: what waits has failed, and so will all that would have to wait."""
        self._broken = self._broken or reason
        self._release()

    def mend(self) -> None:
        """The journal has caught up: from here on calls wait for their facts again."""
        self._broken = ""

    def _release(self) -> None:
        """From the front, in order. A call made from within only adds to the queue; the outer one goes on."""
        if self._releasing:
            return
        self._releasing = True
        try:
            while self._waiting and (self._broken or self._waiting[0].after <= self._durable):
                self._let_go(self._waiting.popleft())
        finally:
            self._releasing = False

    def _let_go(self, call: Call) -> None:
        reason = self._broken or self._check(call)
        if reason:
            self._on_failed(call, reason)
        else:
            self._do(call)

    def _do(self, effect: Effect) -> None:
        done = self._perform(effect)
        if isinstance(effect, Call) and effect.child:
            if done:
                self._on_sent(effect)
            else:
                self._on_failed(effect, LINK_DOWN)
