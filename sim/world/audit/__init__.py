"""The auditor: an independent judge of everything that the engine records and answers.

It shares no code with the engine, nor with the codecs: its own reader of the records on the simulated disk
(`disk`, `records`), its own plain model of a lot (`layout`, `stays`, `facts`), and a list of chapters
(`table`), each of which holds one promise. Devices and the node tell the Auditor what they did and saw.

For each durable event, in order: every chapter's `judge` sees it with the facts *before* it; then the facts
take it in; then every `folded` sees the facts *after* it. The first finding ends a run.

A new rule of the engine adds a chapter:

1. A module here with a subclass of `Chapter`, its docstring the promise in words that an operator would use.
   It keeps a model of its own, in dicts, from `judge` or `folded`, and overrides only the hooks it needs.
2. If the rule can refuse a scan, `objections(look, lot)` gives its reasons whenever they are true, whatever
   other rules say. `Reasons` does the rest: no barrier opened against an objection, no refusal without a true
   one, findings of a REPLAY likewise. What the rule lets by and only tells is `passed_over`.
3. New event types: a line in `records.FIELDS`; a line in `facts._FOLDS` (`_nothing`, if the chapter's own
   model takes it). New orders: a line in `orders.ORDERS`. Both tables refuse what they do not know.
4. If it changes where cars are or what a lot counts, the model that says so (`stays`, `layout`) changes too.
5. Its place in `table.CHAPTERS`, and in `tests/sim/world/audit/` one good stream of records, and for each
   invariant a stream that breaks exactly that one.
"""

from liftgate.sim.world.audit.auditor import Auditor
from liftgate.sim.world.audit.finding import Finding

__all__ = ["Auditor", "Finding"]
