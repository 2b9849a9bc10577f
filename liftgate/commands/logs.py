"""Logs: to stderr, for people on a terminal, else a JSON object a line; LIFTGATE_LOG sets the level."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import structlog

LEVELS = ("debug", "info", "warning", "error")


def configure(default: str = "info") -> None:
    """Set structlog up for this process; a level it doesn't know is said, and the default taken."""
    wanted = os.environ.get("LIFTGATE_LOG", default).lower()
    level = wanted if wanted in LEVELS else default
    people = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if people else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S.%f" if people else "iso", utc=not people),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    if wanted != level:
        structlog.get_logger().warning("log.unknown_level", wanted=wanted, known=LEVELS, taken=level)
