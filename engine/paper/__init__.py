"""The paper venue: an exchange that speaks the venue's protocol, and the crowd that trades on it. No clock, no I/O.

The map, from the ground up; imports only go down:

- `instruments` what is listed, the fee table, what the venue says a thing is worth, a day's volume
- `orders` an order and the book it rests in, what can be asked and what is announced, the orders that wait or follow
- `clearing` accounts, margin, funding, settlement, delivery, liquidation
- `floor` the exchange of one coin: checks, orders entering and changing, matching, announcements
- `protocol` the floor said in the venue's words: public and private calls, channels, what is remembered for askers
- `crowd` who trades there: a world that moves, makers, takers, and nobody at all
- `market` one coin's exchange with all that speaks of it, and which coin a call means · `operator` the venue's own hand
- `lines` of the clients, and who watches what · `venue` the whole · `simulation` the same for one client, in memory

**A frame becomes an order.** `venue.receive` → the server's side of the protocol (`market/deribit/server`: who may
call, credits, types of parameters) → `venue.handle` → the coin it names (`market.addressed`) →
`protocol/private/orders`: decimals to units and lots (`params`) → `Exchange.place`: allowance, then every check
(`floor/checks`), before anything is changed → matching (`floor/trading`): each trade has one integer value that both
accounts use (`clearing/accounts`) → the rest of it rests in the book (`orders/matching`), or waits
(`orders/triggers`) → the answer, in the words of `protocol/own`.

**The crowd turns.** `venue.advance(to)` goes from event to event: the next agent of the crowd (`Crowd.turn`), or the
next beat, every 100 ms, whichever is first. An agent sees the books as they are, draws from dice of its own, and
enters by `Exchange.quote`, which checks nothing, because it is ours. One of them moves the world and tells the marks.
At each full second the clearing turns (`clearing/house`), and orders that follow the forward are re-priced.

**News go out.** Whatever was done ends with `Exchange.commit`: trigger orders whose price it brought about enter,
then all that changed is announced, private before public (`floor/news`). The venue drains it, tells the history of
prints, and has the `publisher` say it: at once to raw channels, gathered to the slower ones until their beat. Each
publication is encoded once and laid, with its time, before every line that watches the channel; the process or the
simulation takes it there.
"""
