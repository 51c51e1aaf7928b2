"""Input, Fact, Effect, View: every message of the desk, as tagged frozen structs.

One set of types serves memory, tape, journal and wire. Inputs and facts are stored as msgpack (`pack`, `unpack_*`);
views reach the browser as JSON. Adding an optional field is compatible with old tapes; renaming one is not.

- An **input** is all that can happen: it has a number `n` and a time `t` (ns UTC), both given at the one door.
- A **fact** is what was decided or learned. It has its own number `n`, a time and the input that caused it.
- An **effect** is what a shell performs. `after` names the fact that must be durable first, 0 for "at once".
- A **view** is what a screen may know. Only the newest of a topic matters, except notes, which are numbered.
"""

from __future__ import annotations

import msgspec

from engine.messages.cost_facts import *
from engine.messages.cost_views import *
from engine.messages.desk_views import *
from engine.messages.effects import *
from engine.messages.estimates import *
from engine.messages.facts import *
from engine.messages.flatten_facts import *
from engine.messages.hedge_facts import *
from engine.messages.hedge_views import *
from engine.messages.inputs import *
from engine.messages.link import *
from engine.messages.model_views import *
from engine.messages.order_facts import *
from engine.messages.parent_facts import *
from engine.messages.surface_views import *
from engine.messages.verbs import *
from engine.messages.views import *

pack = msgspec.msgpack.Encoder().encode
unpack_taped = msgspec.msgpack.Decoder(Input | Forecasts).decode
unpack_fact = msgspec.msgpack.Decoder(Fact).decode
unpack_up = msgspec.msgpack.Decoder(Up).decode
unpack_down = msgspec.msgpack.Decoder(Down).decode
json_bytes = msgspec.json.Encoder().encode
