"""Deribit's protocol without I/O: `wire` is what the venue says and how it is asked, `server` its side of it."""
