"""Headings of docs/protocol.md under which the requirements stand."""

FRAME = "Frame"
SIGN_ON = "Sign-on"
EVENTS = "Events from readers"
TO_READERS = "To readers"
EITHER = "Either way"
ROOM = "What Liftgate's engine does where version 1 leaves room"
