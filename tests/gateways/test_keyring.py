"""Keys of a lot's rules, with the secrets that stand beside them."""

from liftgate.gateways.keyring import Keyring
from tests.gateways.tickets import MAC_SECRET, RULES, TAG_SECRET, ticket_world


def test_a_ring_is_made_anew_only_where_the_rules_are_others() -> None:
    """Every scan of a ticket asks for it."""
    world = ticket_world()
    ring = world.gateway.proofs.keyring.of(world.lot)
    assert ring is not None and world.gateway.proofs.keyring.of(world.lot) is ring
    world.lot.rules["tickets"] = dict(RULES)
    assert world.gateway.proofs.keyring.of(world.lot) is not ring


def test_secrets_come_from_beside_the_rules() -> None:
    """A pair for tags is two keys of 16 bytes; a name without a secret is no key."""
    ring = Keyring({"north": {"m1": MAC_SECRET, "t1": TAG_SECRET}}).made("north", RULES)
    key = ring.tickets.get("m1")
    assert key is not None and key.material == bytes(MAC_SECRET)
    assert [(pair.picc, pair.file) for pair in ring.tags] == [(TAG_SECRET[:16], TAG_SECRET[16:])]
    bare = Keyring({}).made("north", RULES)
    assert (len(bare.tickets), bare.tags) == (1, ())
