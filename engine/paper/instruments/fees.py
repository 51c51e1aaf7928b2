"""What the venue takes: a table that is part of its settings.

Rates are shares: of a contract's coin for options, of the coin value for futures. Negative ones are paid out to the
maker. Source: the venue's published table ("Fees"): futures and perpetual maker 0, taker 0.05 %, weekly futures
maker −0.01 %; options 0.03 % of the underlying; delivery of options 0.015 % and of futures 0.025 %, of dailies and
weeklies free; no fee on an option above 12.5 % of its price; liquidations 0.75 % (BTC), 0.9 % (ETH) and for
options 0.19 %, which go to the insurance fund.
"""

from __future__ import annotations

import msgspec

from engine.domain import DAY_NS, OPTION_FEE_CAP, Instrument, Kind


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Of one row of the table. A row with an empty `coin` or `period` holds for any."""

    kind: Kind
    coin: str = ""
    period: str = ""  # perpetual, day, week, month
    maker: float = 0.0
    taker: float = 0.0005
    delivery: float = 0.0
    liquidation: float = 0.0075


class Fees(msgspec.Struct, frozen=True, kw_only=True):
    """The first row that fits an instrument is its own. `cap` is a share of an option's price."""

    rows: tuple[Rates, ...] = (
        Rates(kind=Kind.PERPETUAL, coin="ETH", liquidation=0.009),
        Rates(kind=Kind.PERPETUAL),
        Rates(kind=Kind.FUTURE, coin="ETH", period="week", maker=-0.0001, liquidation=0.009),
        Rates(kind=Kind.FUTURE, coin="ETH", period="day", liquidation=0.009),
        Rates(kind=Kind.FUTURE, coin="ETH", delivery=0.00025, liquidation=0.009),
        Rates(kind=Kind.FUTURE, period="week", maker=-0.0001),
        Rates(kind=Kind.FUTURE, period="day"),
        Rates(kind=Kind.FUTURE, delivery=0.00025),
        Rates(kind=Kind.OPTION, period="day", maker=0.0003, taker=0.0003, liquidation=0.0019),
        Rates(kind=Kind.OPTION, maker=0.0003, taker=0.0003, delivery=0.00015, liquidation=0.0019),
    )
    cap: float = OPTION_FEE_CAP

    def of(self, instrument: Instrument, period: str) -> Rates:
        """The instrument's row. Raises LookupError when the table has none."""
        for row in self.rows:
            if row.kind is instrument.kind and row.coin in ("", instrument.coin) and row.period in ("", period):
                return row
        raise LookupError(f"no fees are set for {instrument.name}")


def period_of(expiry: int) -> str:
    """The settlement period as the venue names it: perpetual, day, week (a Friday), month (a month's last Friday)."""
    if not expiry:
        return "perpetual"
    days = expiry // DAY_NS
    if days % 7 != 1:  # the epoch was a Thursday
        return "day"
    return "month" if _month(days) != _month(days + 7) else "week"


def _month(days: int) -> int:
    """Month of the year of a day since the epoch, by the civil calendar (Hinnant's `civil_from_days`)."""
    era_day = (days + 719_468) % 146_097
    year = (era_day - era_day // 1460 + era_day // 36_524 - era_day // 146_096) // 365
    day = era_day - (365 * year + year // 4 - year // 100)
    return (5 * day + 2) // 153
