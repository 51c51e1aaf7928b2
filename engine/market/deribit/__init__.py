"""Deribit's protocol without I/O, both sides of it.

`wire` is what a client reads and writes: events, their types (`data` of the market, `account` of oneself, `errors`),
requests. `server` is the venue's side of one connection, `frames` how it reads and answers, `methods` the calls it
serves, `records` what an account can look up besides, `tokens` and `scopes` who may call what, `credits` how often,
`rest` the same calls by HTTP.
"""
