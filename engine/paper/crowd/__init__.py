"""Who trades on the paper venue: makers, takers and their order in time.

Every agent has an account, a latency, and a random stream of its own, from which it draws the same number of values
each turn, whatever it finds. So the same seed gives the same market for the same inputs, and an order from outside
changes what agents see, never their dice. The crowd is advanced in time; it has no clock.

- `crowd` the agents and their turns · `settings` every setting, the regimes, the hash · `nobody` in a crowd's place
- `agents` what an agent is and what it is given · `dice` where its numbers come from · `sizes` of orders
- `world` moves the efficient price, `smile` the surface over it · `teller` tells the venue its marks
- a future's book (`future_cast`): `future_makers` and those who pick what they leave behind, `flow` the many, arriving
  by a `hawkes` process, `metaorders`, `leverage` (liquidation cascades), `tape` what trading does to the price
- a coin's options (`option_cast`): `consensus` what all makers start from, a fair price for each of the `chain`;
  `option_makers` and their `quotes`; `option_takers`, `option_visitors`; `blocks` and combos off the book
"""
