"""The venue's private calls, by subject: typed parameters in, statements or a refusal out.

`orders` placing, changing, ending, with the params of an order read by `params`; `lists` of orders and trades; `money`;
`limits` on one's own trading. `calls` is all of them on one coin; `account` what concerns an account in all its coins;
`who` has called.
"""
