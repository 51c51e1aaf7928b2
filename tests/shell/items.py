"""Inputs of every kind, as tests need them on a tape."""

from __future__ import annotations

from hypothesis import strategies as st

from engine.config import Config
from engine.domain import NS, Side, instrument_of
from engine.messages import (
    Command,
    Failed,
    Focus,
    Forecast,
    Forecasts,
    Frame,
    Input,
    Kill,
    Link,
    ModelSwap,
    SendOrder,
    Sent,
    Started,
    Tick,
)

T0 = 1_700_000_000 * NS
NAME = "BTC-27MAR26-80000-C"
LISTED = (instrument_of(NAME),)


def frame(n: int, data: bytes = b'{"jsonrpc":"2.0"}') -> Frame:
    return Frame(n=n, t=T0 + n * 1000, data=data)


def forecasts(n: int, up: float = 0.25) -> Forecasts:
    one = Forecast(
        t=T0, source="baseline", warm=True, familiar=False, up=up, down=0.25, stable=0.5, drift_ticks=0.1,
        slip_buy=((0.0, 0.5, 1.0),) * 5, slip_sell=((0.0, 0.5, 1.0),) * 5, impact_buy=0.2, impact_sell=0.2,
        fill_bid=0.3, fill_ask=0.3, iv_move=(-1.0, 0.0, 1.0), spread_ticks=2.0, depth=7.5,
    )  # fmt: skip
    return Forecasts(n=n, values={NAME: one})


def _input(kind: int, n: int, t: int, data: bytes, word: str, number: float) -> Input:
    order = SendOrder(instrument=word, side=Side.SELL, quantity=number, price=number)
    return (
        Started(n=n, t=t, config=Config(coin=word), code=word, model="", seed=n, session=word, instruments=LISTED),
        Frame(n=n, t=t, data=data),
        Frame(n=n, t=t, data=data * 50),
        Link(n=n, t=t, up=len(data) % 2 == 0, reason=word),
        Tick(n=n, t=t),
        Command(n=n, t=t, id=word, user=word, role="trader", verb=order),
        Command(n=n, t=t, id=word, user=word, role="admin", verb=Kill(account=True)),
        Sent(n=n, t=t, call=word),
        Failed(n=n, t=t, call=word, reason=word),
        Focus(n=n, t=t, instruments=(word, word)),
        ModelSwap(n=n, t=t, model=word),
    )[kind]  # fmt: skip


@st.composite
def tapes(draw: st.DrawFn) -> list[Input | Forecasts]:
    """A run of inputs numbered from 1, some with forecasts beside them."""
    parts = st.tuples(
        st.integers(0, 10), st.integers(0, NS), st.binary(max_size=200), st.text(max_size=20),
        st.floats(allow_nan=False), st.booleans(),
    )  # fmt: skip
    items: list[Input | Forecasts] = []
    t = T0
    for n, (kind, step, data, word, number, beside) in enumerate(draw(st.lists(parts, max_size=60)), start=1):
        t += step
        items.append(_input(kind, n, t, data, word, number))
        if beside:
            items.append(forecasts(n, up=min(abs(number), 1.0)))
    return items
