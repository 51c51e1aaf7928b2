"""Everybody's money at the paper venue, in whole numbers of 1e-12 coin.

`accounts` who holds what; `margin` what positions and orders bind; `standing` what is told of them; `funding` of the
perpetual; `settlement` of the day and the delivery of what expires; `liquidation` of who cannot keep the margin;
`house` drives them once a second.
"""
