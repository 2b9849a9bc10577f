"""What a lot's rules say: `[lot.rules.<theme>]` in the file, `set_rules` on a running engine, one shape.

A theme is a frozen struct in a module of its own. Its defaults are a lot without the theme, so an empty table
switches nothing on by itself unless the theme says so.
"""

from __future__ import annotations

from typing import Any

import msgspec

from liftgate.configs.problems import suggestion
from liftgate.configs.rules.classes import Classes
from liftgate.configs.rules.entitlements import Entitlements
from liftgate.configs.rules.identity import IdentityRules
from liftgate.configs.rules.lanes import Lanes
from liftgate.configs.rules.ledger import Ledger
from liftgate.configs.rules.limits import Limits
from liftgate.configs.rules.offline import Offline
from liftgate.configs.rules.passback import PassbackRules
from liftgate.configs.rules.reconciliation import Reconciliation
from liftgate.configs.rules.reservations import Reservations
from liftgate.configs.rules.tickets import Tickets

THEMES: dict[str, type[msgspec.Struct]] = {
    "identity": IdentityRules,
    "lanes": Lanes,
    "entitlements": Entitlements,
    "classes": Classes,
    "ledger": Ledger,
    "limits": Limits,
    "reconciliation": Reconciliation,
    "passback": PassbackRules,
    "reservations": Reservations,
    "tickets": Tickets,
    "offline": Offline,
}
"""By the theme's name in the file."""


def read_theme(name: str, data: dict[str, Any]) -> msgspec.Struct:
    """The rules of one theme. Raises ValueError that names the key (`$.weekly[0].from`) and the mistake."""
    return msgspec.convert(data, THEMES[name])


def mistakes(rules: dict[str, Any]) -> list[tuple[str, str]]:
    """Every theme that cannot be used, as (theme, why); none where `read_theme` takes them all."""
    return [(name, why) for name, data in rules.items() if (why := _mistake(name, data))]


def _mistake(name: str, data: object) -> str:
    if name not in THEMES:
        return f"no such rules{suggestion(name, THEMES)}"
    if not isinstance(data, dict):
        return "must be a table"
    try:
        read_theme(name, data)
    except ValueError as error:
        return str(error)
    return ""
