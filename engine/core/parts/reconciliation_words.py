"""The difference of a lane's hour in words."""

from liftgate.engine.core.tally import LaneTally

WORDS_MAX = 300
"""Characters; the row has the numbers."""


def difference_of(tally: LaneTally, confirm: bool, waiting: int, missing: int) -> str:
    """What does not agree, "" where all does. waiting, missing: as in LaneReconciled, now."""
    found = [
        _opened_and_passed(tally, confirm, waiting),
        _passed_and_counted(tally, confirm),
        f"{tally.followed + tally.late_followed} followed without a credential"
        if tally.followed or tally.late_followed
        else "",
        f"barrier forced {tally.forced} times" if tally.forced else "",
        f"{missing} numbers missing of the reader" if missing != tally.missing else "",
    ]
    return "; ".join(words for words in found if words)[:WORDS_MAX]


def _opened_and_passed(tally: LaneTally, confirm: bool, waiting: int) -> str:
    """Cars that the barrier was opened for against those that the loop saw. A lane that need not confirm may
    have no loop: it is compared where it told of any car.
    """
    opened = tally.opened + tally.late_opened - tally.again
    passed = tally.passed + tally.late_passed
    more = (waiting - tally.waiting) if confirm else 0
    if not confirm and not passed:
        return ""
    difference = opened - passed - tally.backed_out - more
    if not difference:
        return ""
    lapsed = f", {tally.lapsed} lapsed" if tally.lapsed else ""
    still = f", {waiting} waiting now after {tally.waiting}" if waiting or tally.waiting else ""
    words = f"opened for {opened} cars, {passed} passed, {tally.backed_out} backed out{still}{lapsed}"
    return f"{words}: {abs(difference)} {'did not pass' if difference > 0 else 'more than were let through'}"


def _passed_and_counted(tally: LaneTally, confirm: bool) -> str:
    """Cars that should have moved a count against those that did."""
    due = tally.passed + tally.late_passed if confirm else tally.opened + tally.late_opened
    due += tally.followed + tally.late_followed
    counted = tally.moved + tally.unnamed
    what = "passed" if confirm else "let through"
    if due != counted:
        return f"{due} cars {what}, the ledger counted {counted}"
    stray = tally.unnamed - tally.followed - tally.late_followed
    return f"{stray} cars {what} without a stay" if stray > 0 else ""
