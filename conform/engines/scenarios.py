"""All scenarios for engines, in the order in which they are run."""

from liftgate.conform.engines import events, frames, history, sign_on

SCENARIOS = (
    *sign_on.STAGE.scenarios,
    *frames.STAGE.scenarios,
    *events.STAGE.scenarios,
    *history.STAGE.scenarios,
)
