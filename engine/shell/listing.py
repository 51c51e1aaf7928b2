"""The venue's part in a recording of tickers alone: what it lists, told as it was told then.

Such a recording was asked for in sweeps, without a connection to subscribe on. The core learns of instruments as it
does from a venue: it asks when the link comes up and whenever a new one is said to be there, and is answered here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from engine import messages as m
from engine.domain import MS, Instrument, Kind
from engine.market.deribit.data import InstrumentData, StateData, TickStep
from engine.market.deribit.frames import notification, reply
from engine.market.state import Venue


class Listing:
    """`born`: when each was listed, ns; what is not in it, or was before `start`, was listed from the beginning."""

    def __init__(self, coin: str, instruments: Sequence[Instrument], born: Mapping[str, int], start: int) -> None:
        self._instruments = instruments
        self._born = {one.name: max(born.get(one.name, start), start) for one in instruments}
        self._coming = deque(
            sorted((one for one in instruments if self._born[one.name] > start), key=lambda one: self._born[one.name])
        )
        self._asking = Venue(coin)  # as the core's: it says when it asks, and by which number

    def news(self, t: int) -> Iterator[bytes]:
        """What is said of each instrument that was listed up to `t`, once. Times given never fall."""
        while self._coming and self._born[self._coming[0].name] <= t:
            one = self._coming.popleft()
            data = StateData(instrument_name=one.name, state="created", timestamp=self._born[one.name] // MS)
            yield notification(f"instrument.state.any.{one.coin}", data)

    def answers(self, item: m.Input) -> Iterator[bytes]:
        """What the venue answers to the calls that this input sets off."""
        for effect in self._asking.observe(item):
            if isinstance(effect, m.Call) and effect.method == "public/get_instruments":
                listed = [_data_of(one) for one in self._instruments if self._born[one.name] <= item.t < one.expiry]
                yield reply(effect.id, listed, item.t)


def _data_of(one: Instrument) -> InstrumentData:
    option = one.kind is Kind.OPTION
    return InstrumentData(
        instrument_name=one.name, kind="option" if option else "future", base_currency=one.coin,
        quote_currency=one.coin if option else "USD", tick_size=one.tick, min_trade_amount=one.lot,
        tick_size_steps=[TickStep(above_price=above, tick_size=tick) for above, tick in one.tick_steps],
        contract_size=one.contract, expiration_timestamp=one.expiry // MS, instrument_type="reversed",
        strike=one.strike if option else None, option_type=("call" if one.call else "put") if option else None,
        maker_commission=one.maker_fee, taker_commission=one.taker_fee,
    )  # fmt: skip
