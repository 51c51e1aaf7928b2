"""What a token may be used for, as the venue's scopes say it: `trade:read_write account:read session:desk`.

An access is none, read or read_write. A request that names no access gets all that the credentials allow; one that
names some gets those, as far as they are known here and allowed: one that asks for what there is not gets nothing.
`connection` or `session:NAME` says what the token is bound to, `expires:SECONDS` how long it lives.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

LEVELS = ("none", "read", "read_write")
LARGEST = {"account": "read_write", "trade": "read_write", "wallet": "read"}
ACCOUNT = ("get_account_summar", "get_cancel_on_disconnect", "get_subaccounts", "get_access_log", "get_user_locks",
           "get_new_announcements", "get_transaction_log", "get_margins")  # fmt: skip
ACCOUNT_WRITE = ("enable_cancel_on_disconnect", "disable_cancel_on_disconnect", "set_self_trading_config")
WALLET = ("get_deposits", "get_withdrawals", "get_transfers")
TRADE_WRITE = ("buy", "sell", "edit", "cancel", "close_position", "set_mmp_config", "reset_mmp", "mass_quote")
FREE = ("logout", "subscribe", "unsubscribe")
OF_ACCOUNT = ("user.portfolio", "user.lock", "user.access_log")


class Scope(msgspec.Struct, frozen=True):
    """`access` by subject. `session` is "" for a token of its connection; `life` seconds, 0 for the usual."""

    access: dict[str, str]
    session: str = ""
    life: int = 0

    def allows(self, subject: str, level: str) -> bool:
        return LEVELS.index(self.access.get(subject, "none")) >= LEVELS.index(level)

    def __str__(self) -> str:
        bound = f"session:{self.session}" if self.session else "connection"
        return " ".join(["mainaccount", bound, *(f"{subject}:{level}" for subject, level in self.access.items())])


def granted(asked: str, allowed: Mapping[str, str] = LARGEST) -> Scope:
    """What is given to one who asks for this and may have what is `allowed`; words that are not known are not given."""
    access: dict[str, str] = {}
    session, life, names = "", 0, False
    for word in asked.split():
        name, _, value = word.partition(":")
        names |= bool(value) and name not in ("session", "expires")
        if name in LARGEST and value in LEVELS:
            access[name] = min(value, allowed.get(name, "none"), key=LEVELS.index)
        elif name == "session":
            session = value
        elif name == "expires" and value.isascii() and value.isdecimal() and len(value) < 10:
            life = int(value)
    return Scope(access if names else dict(allowed), session, life)


def needed(method: str) -> tuple[str, str] | None:
    """(subject, level) that a private call is for; None where any token will do."""
    name = method.removeprefix("private/")
    for prefixes, need in (
        (FREE, None), (ACCOUNT_WRITE, ("account", "read_write")), (ACCOUNT, ("account", "read")),
        (WALLET, ("wallet", "read")), (TRADE_WRITE, ("trade", "read_write")),
    ):  # fmt: skip
        if name.startswith(prefixes):
            return need
    return "trade", "read"


def needed_by_channel(channel: str) -> tuple[str, str] | None:
    """The same for a subscription."""
    if not channel.startswith("user."):
        return None
    return ("account", "read") if channel.startswith(OF_ACCOUNT) else ("trade", "read")
