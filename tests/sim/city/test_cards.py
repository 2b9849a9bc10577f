from __future__ import annotations

from liftgate.sim.city.cards import REST_MS, Cards, token_of


def test_cards_in_use_are_not_given_again() -> None:
    """Cars that are inside together have cards of their own."""
    cards = Cards("A")
    assert [cards.take(0), cards.take(0), cards.take(REST_MS * 9)] == [1, 2, 3]


def test_a_card_rests_before_it_is_used_again() -> None:
    """A card that left is taken again once REST_MS have passed, not a millisecond before."""
    cards = Cards("A")
    cards.give_back(cards.take(0), 1000)
    assert [cards.take(1000 + REST_MS - 1), cards.take(1000 + REST_MS)] == [2, 1]


def test_the_lowest_rested_card_is_taken() -> None:
    """Which card returns doesn't depend on the order in which they left."""
    cards = Cards("A")
    for number in [cards.take(0) for _ in range(3)]:
        cards.give_back(number, 100 - number)
    assert [cards.take(REST_MS * 2) for _ in range(3)] == [1, 2, 3]


def test_tokens_tell_lots_and_cards_apart() -> None:
    """A token has 7 bytes, as card UIDs do, and belongs to one card of one lot."""
    tokens = {token_of(lot, number) for lot in ("P1", "P7", "P8") for number in range(300)}
    assert len(tokens) == 900
    assert {len(token) for token in tokens} == {7}
    assert Cards("P1").token(7) == token_of("P1", 7)
