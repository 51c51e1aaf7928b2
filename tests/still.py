"""A market that stands still: books and marks as they were written down once, so that whatever moves is the test.

`tapes/still.json` holds, for the small listing of `tests/link.py`, every level as [units, lots], the index, the
forwards and each option's volatility.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from engine.domain import Side
from engine.paper.floor.exchange import Exchange

TABLE = json.loads((Path(__file__).parent / "tapes" / "still.json").read_text())
USUAL_IV = 0.46  # of options that are not in the table


def stand(exchange: Exchange, t: int) -> None:
    """Fill an empty exchange: one house order a level, all announced; instruments not in the table stay without."""
    house = exchange.open_account("still", 0.0, house=True)
    forwards = {
        int(expiry): price for expiry, price in TABLE["forwards"].items() if int(expiry) in exchange.marks.forwards
    }
    ivs = np.array(
        [TABLE["books"].get(exchange.instruments[n].name, {}).get("iv", USUAL_IV) for n in exchange.marks.options]
    )
    exchange.marks.dvol = TABLE["dvol"]
    exchange.marks.tell(t, TABLE["index"], forwards, ivs)
    for n, instrument in enumerate(exchange.instruments):
        for side, half in ((Side.BUY, "bids"), (Side.SELL, "asks")):
            for price, lots in TABLE["books"].get(instrument.name, {}).get(half, ()):
                exchange.quote(t, house, n, side, price, lots)
    exchange.commit(t)
    exchange.drain()
