"""What is kept: the tape of a session, the desk's journal, and the outbox that lets nothing leave before it is kept.

- `folders.py` where sessions lie and what `session.json` says; `blocks.py` the tape's blocks and how damage is found
- `tape.py` writes and reads the inputs; `keyframes.py` dumps of the state on the way, to jump
- `journal.py` the facts, in one SQLite file across sessions; `writers.py` the two threads that wait for the disk
- `outbox.py` effects, released when their fact is durable; `sessions.py` the list of what there is
"""
