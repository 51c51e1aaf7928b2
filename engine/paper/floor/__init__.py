"""The exchange of one coin: one object in four layers, each a job on top of the one below.

`state` what they share, and the few things done to an order whatever the reason; `trading` matching, money, prints;
`entering` a client's orders and their changes; `exchange` the whole, with what time does. Beside them `checks` says why
an order is not taken, and `news` collects what a command did until it is announced.
"""
