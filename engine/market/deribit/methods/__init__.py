"""The calls a venue serves, as a table: method → the type of its params. The names and types are the published ones.

Params are read leniently (`"0.1"` is a number, `"true"` a boolean) because by GET everything is text; what is not
known is ignored, as the venue does. What a type cannot say (amount or contracts, a price where one is needed) is
said by the exchange.
"""

from __future__ import annotations

from engine.market.deribit.methods.params import Params
from engine.market.deribit.methods.private import PRIVATE
from engine.market.deribit.methods.public import PUBLIC

__all__ = ["METHODS", "Params"]

METHODS: dict[str, type[Params]] = PUBLIC | PRIVATE
