"""Writes tests/vectors/events_v1.json anew: `python -m tests.engine.core.make_events_vector`.

Only before version 1 is released. After that a change of these bytes is a new version beside the old one.
"""

from __future__ import annotations

import hashlib
import json

from liftgate.codecs.unpack import Unpacker
from liftgate.engine.core import state
from tests.engine.core.test_events import VECTORS, eventful_yard


def main() -> None:
    yard = eventful_yard()
    log, source, events = bytes(yard.log), Unpacker(bytes(yard.log)), []
    while source.at < source.end:
        start = source.at
        source.skip()
        events.append(log[start : source.at].hex())
    vector = {
        "about": "Journal events of version 1, in order, as hex; the sha256 is of state.dump after them.",
        "lot": yard.lot.id,
        "events": events,
        "counts": yard.lot.counts(),
        "state_sha256": hashlib.sha256(state.dump(yard.lot)).hexdigest(),
    }
    VECTORS.write_text(json.dumps(vector, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
