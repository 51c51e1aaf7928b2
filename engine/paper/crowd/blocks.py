"""Trades that no book sees: blocks of an option, blocks out of a request for quotes, and combos of two options.

They are printed between two house accounts near the middle of what the book shows, marked as the venue marks them.
A block is at least 25 coins (the venue's minimum for options); a combo is a vertical spread, one print a leg.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from engine.domain import Side
from engine.paper.crowd.agents import Plain, wait
from engine.paper.crowd.dice import Stream
from engine.paper.crowd.option_takers import Desk

LEAST = {"BTC": 25.0, "ETH": 250.0}  # coin, of a block


class BlockSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Waits are mean seconds."""

    every_s: float = 300.0
    size_spread: float = 0.8  # of its log, above the least
    asked: float = 0.4  # share of blocks that came of a request for quotes
    combos: float = 0.4  # share of all that are combos
    combo_size: float = 3.0  # coin, median


class OffBook(Plain):
    """Prints blocks and combos of one coin."""

    def __init__(self, desk: Desk, coin: str, accounts: tuple[int, int], dice: Stream, s: BlockSettings) -> None:
        self.desk, self.coin, self.accounts, self.dice, self.settings = desk, coin, accounts, dice, s
        self.number = 0

    def turn(self, t: int) -> int:
        chance, noise = self.dice.uniforms(5), self.dice.normals(1)
        desk, s = self.desk, self.settings
        weights = desk.weights()
        side = Side.BUY if chance[2] < 0.5 else Side.SELL
        if float(weights.sum()) > 0.0:
            row = desk.pick(chance[1], weights)
            if chance[3] < s.combos:
                self._combo(t, row, side, s.combo_size * desk.scale * math.exp(noise[0]))
            else:
                least = LEAST.get(self.coin, 25.0)
                kind = "block_rfq" if chance[4] < s.asked else "block"
                self._print(t, row, side, least * math.exp(s.size_spread * abs(noise[0])), kind, self._name(kind))
        return t + wait(s.every_s, chance[0])

    def dump(self) -> Any:
        return self.number

    def load(self, value: Any) -> None:
        self.number = value

    def _combo(self, t: int, row: int, side: Side, coin: float) -> None:
        """A vertical spread: this option against the next one out in its expiry."""
        chain = self.desk.chain
        same = (chain.slot == chain.slot[row]) & (chain.call == chain.call[row])
        farther = same & ((chain.strike > chain.strike[row]) == chain.call[row]) & (chain.strike != chain.strike[row])
        others = np.flatnonzero(farther)
        if not len(others):
            return
        other = int(others[np.argmin(np.abs(chain.strike[others] - chain.strike[row]))])
        name = self._name("combo", row, other)
        self._print(t, row, side, coin, "combo", name)
        self._print(t, other, side.other, coin, "combo", name)

    def _name(self, kind: str, row: int = 0, other: int = 0) -> str:
        self.number += 1
        if kind == "block":
            return f"BLOCK-{self.number}" if self.coin == "BTC" else f"BLOCK-{self.coin}-{self.number}"
        if kind == "block_rfq":
            return str(self.number)
        one, two = self.desk.chain.instruments[row], self.desk.chain.instruments[other]
        low, high = sorted((one.strike, two.strike))
        return f"{one.coin}-{'CS' if one.call else 'PS'}-{one.name.split('-')[1]}-{low:.0f}_{high:.0f}"

    def _print(self, t: int, row: int, side: Side, coin: float, kind: str, number: str) -> None:
        """At the reference's price, moved a third of the usual spread against the taker."""
        r, chain = self.desk.consensus.now, self.desk.chain
        price = max(1, round(float(r.fair[row]) + side.sign * 0.5 * float(r.tick[row])))
        lots = max(1, round(coin / chain.instruments[row].lot))
        taker, maker = self.accounts
        self.desk.exchange.print_off_book(t, chain.numbers[row], side, price, lots, taker=taker, maker=maker,
                                          kind=kind, number=number)  # fmt: skip
