"""All scenarios for readers, in the order in which they are run: what needs a tester comes last."""

from liftgate.conform.readers import alone, events, orders, sign_on

SCENARIOS = (
    *sign_on.STAGE.scenarios,
    *orders.STAGE.scenarios,
    *events.STAGE.scenarios,
    *alone.STAGE.scenarios,
)
