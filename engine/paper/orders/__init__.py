"""Orders, without an account's money: what one is, where it rests or waits, and what ends or moves it.

`matching` an order and one instrument's book; `terms` what can be asked of the exchange and what it announces;
`triggers` orders that wait for a price; `advanced` orders that follow the forward; `protection` who trades too much is
taken out; `allowance` how often one may ask.
"""
