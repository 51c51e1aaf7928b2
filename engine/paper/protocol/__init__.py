"""The floor in the venue's words: decimals, milliseconds, and the fields its clients expect.

`statements` what everyone may know, `own` what an account is told of itself. `public` calls about the present, `past`
about what was, out of `history` and its `bars`; `private` an account's calls; `pages` cuts lists. `channels` what
a channel's name means, `publisher` who hears what and when, with what slower channels have `collected` and those that
say a `present` state.
"""
