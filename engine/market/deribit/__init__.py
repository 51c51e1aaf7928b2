"""Deribit's protocol without I/O, both sides of it.

`wire` is what a client reads and writes: events, their types (`data` of the market, `account` of oneself, `errors`),
requests. `server` is the venue's side of one connection, `methods` the calls it serves, `tokens` who may call,
`rest` the same calls by HTTP.
"""
