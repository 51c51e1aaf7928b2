"""Tidegate's engine: from venue bytes to orders, and back from a recording to every decision.

The map, from the ground up; imports only go down:

- `domain` instruments, sides, ticks and lots · `config` settings · `compiled` numeric loops as machine code
- `black` option prices and greeks
- `messages` every input, fact, effect and view
- `market` the venue's protocol without I/O, the book, what the venue told
- `surface` smiles and the fair price · `forecast` features, the stepped model, its skill
- `execution` the desk, its life cycles, policy, proposals, risk, router, recovery
- `core` the loop: observe, decide, evolve, once for every mode · `view` what a screen may know
- `paper` the exchange and the crowd that the desk brings along
- `shell` the only asyncio, sockets, files and clocks · `research` training and evaluation
- `client` what screens and scripts attach with

`python -m engine --help` lists the commands.
"""
