"""What the venue's refusal of an order means: for each of its codes what is done about it, and how it is said.

A refusal says one of five things. The moment was wrong: *again*, once the market has been looked at anew. The venue is
busy or closed: *wait*. The order or the account is wrong: *pause*, since asking again would be refused again, and a
person must look. The venue itself does not know what became of it: *ask* by label, since the order may be there. A code
that is not in the table pauses too: it means that we do not understand the venue.
"""

from __future__ import annotations

from typing import Literal

from engine.domain import NS
from engine.market.deribit.wire import VenueError

Action = Literal["again", "wait", "pause", "ask"]
REST_NS: dict[Action, int] = {"again": NS, "wait": 10 * NS, "pause": 0, "ask": 0}

UNSURE = frozenset({10001, 13888})  # of these not even the venue says whether it did what was asked
ACTIONS: dict[int, Action] = {
    10000: "pause",  # authorization_required
    10001: "ask",  # error: anything may have happened
    10002: "pause",  # qty_too_low
    10003: "wait",  # order_overlap: an own order stands there
    10004: "ask",  # order_not_found
    10005: "again",  # price_too_low
    10006: "again",  # price_too_low4idx
    10007: "again",  # price_too_high
    10009: "pause",  # not_enough_funds
    10010: "ask",  # already_closed
    10011: "again",  # price_not_allowed
    10012: "wait",  # book_closed
    10019: "wait",  # locked_by_admin: of a book, for a while
    10020: "pause",  # invalid_or_unsupported_instrument
    10021: "pause",  # invalid_amount
    10022: "pause",  # invalid_quantity
    10023: "pause",  # invalid_price
    10028: "wait",  # too_many_requests
    10029: "pause",  # not_owner_of_order
    10030: "pause",  # must_be_websocket_request
    10034: "pause",  # trigger_price_too_high: this desk sends no triggers
    10035: "pause",  # trigger_price_too_low
    10036: "pause",  # invalid_max_show_amount
    10040: "again",  # retry
    10041: "wait",  # settlement_in_progress
    10043: "pause",  # price_wrong_tick: our grid is not theirs
    10044: "pause",  # trigger_price_wrong_tick
    10047: "wait",  # matching_engine_queue_full
    11008: "ask",  # already_filled
    11029: "pause",  # invalid_arguments
    11030: "wait",  # other_reject
    11035: "pause",  # no_more_triggers
    11036: "pause",  # invalid_trigger_price
    11037: "pause",  # outdated_instrument_for_IV_order
    11038: "pause",  # no_adv_for_futures
    11039: "pause",  # no_adv_postonly
    11041: "pause",  # not_adv_order
    11044: "ask",  # not_open_order
    11050: "pause",  # bad_request
    11051: "wait",  # system_maintenance
    11054: "again",  # post_only_reject
    11055: "pause",  # post_only_not_allowed
    13004: "pause",  # invalid_credentials
    13009: "pause",  # unauthorized
    13020: "pause",  # not_found
    13021: "pause",  # forbidden
    13030: "wait",  # mmp_trigger
    13778: "pause",  # raw_subscriptions_not_available_for_unauthorized
    13888: "ask",  # timed_out: late by `valid_until`, or nobody knows
    -32600: "pause",  # request entity too large
    -32601: "pause",  # method not found
    -32602: "pause",  # invalid params
}

_WORDS = {
    10003: "it would have met another order of this account",
    10004: "it knows no such order",
    10009: "not enough funds",
    10012: "the book is closed",
    10028: "too many requests",
    10041: "settlement is under way",
    10043: "the price is off the tick",
    10047: "its queue is full",
    11051: "it is under maintenance",
    11054: "post-only, and it would have crossed",
    13009: "not authorised",
    13888: "it came too late",
}


def action_of(error: VenueError) -> Action:
    return ACTIONS.get(error.code, "pause")


def said(error: VenueError) -> str:
    """A venue code in a trader's words."""
    words = _WORDS.get(error.code, error.message.replace("_", " "))
    return f"the venue refused: {words} ({error.code})"
