"""Real servers for development, tests and CI, without containers; the standard library only.

`python -m deploy.services up` is for people (`make services`), `running()` for programs that use what it
started, `Service` for tests that stop, kill and restart a server of their own.
"""

from deploy.services.errors import NotInstalled, ServiceError, StartFailed
from deploy.services.kinds import KINDS, kind_named
from deploy.services.registry import Record, running
from deploy.services.service import Service

__all__ = [
    "KINDS",
    "NotInstalled",
    "Record",
    "Service",
    "ServiceError",
    "StartFailed",
    "kind_named",
    "running",
]
