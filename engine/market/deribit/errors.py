"""Deribit's refusals: the code is what programs read, the message its name."""

from __future__ import annotations

from typing import Any

import msgspec

ERRORS: dict[int, str] = {
    10000: "authorization_required",
    10001: "error",
    10002: "qty_too_low",
    10003: "order_overlap",
    10004: "order_not_found",
    10005: "price_too_low",
    10006: "price_too_low4idx",
    10007: "price_too_high",
    10009: "not_enough_funds",
    10010: "already_closed",
    10011: "price_not_allowed",
    10012: "book_closed",
    10019: "locked_by_admin",
    10020: "invalid_or_unsupported_instrument",
    10021: "invalid_amount",
    10022: "invalid_quantity",
    10023: "invalid_price",
    10028: "too_many_requests",
    10029: "not_owner_of_order",
    10030: "must_be_websocket_request",
    10034: "trigger_price_too_high",
    10035: "trigger_price_too_low",
    10036: "invalid_max_show_amount",
    10040: "retry",
    10041: "settlement_in_progress",
    10043: "price_wrong_tick",
    10044: "trigger_price_wrong_tick",
    10047: "matching_engine_queue_full",
    11008: "already_filled",
    11029: "invalid_arguments",
    11030: "other_reject",
    11035: "no_more_triggers",
    11036: "invalid_trigger_price",
    11037: "outdated_instrument_for_IV_order",
    11038: "no_adv_for_futures",
    11039: "no_adv_postonly",
    11041: "not_adv_order",
    11044: "not_open_order",
    11050: "bad_request",
    11051: "system_maintenance",
    11054: "post_only_reject",
    11055: "post_only_not_allowed",
    13004: "invalid_credentials",
    13009: "unauthorized",
    13020: "not_found",
    13021: "forbidden",
    13030: "mmp_trigger",
    13778: "raw_subscriptions_not_available_for_unauthorized",
    13888: "timed_out",
    -32600: "request entity too large",
    -32601: "Method not found",
    -32602: "Invalid params",
}


class VenueError(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A refusal of the venue. `code` is one of `ERRORS`, or another that it has invented since."""

    code: int
    message: str
    data: Any = None


def refusal(code: int, reason: str = "", param: str = "") -> VenueError:
    """The refusal of this code; `reason` and `param`, where given, say more in its data."""
    more = {name: text for name, text in (("reason", reason), ("param", param)) if text}
    return VenueError(code=code, message=ERRORS[code], data=more or None)
