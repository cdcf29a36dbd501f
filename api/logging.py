"""Logs: one JSON object a line on standard error, of our own events and of the libraries'.

A request's line names the route's template, never the path, so that no id of a person gets into
the logs; bodies and query strings are never logged.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

PLACES_MAX = 8

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
]


def configure(level: int = logging.INFO) -> None:
    """Send every log of this process to standard error as JSON lines."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _error_without_words,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Its own start and stop are told by the command, with the address and the origin.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    # A line for each tile or witness that was asked would bury what is said of them.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _error_without_words(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its class and the places that it passed.

    Its message is left out: a database driver quotes rows there, a parser the text it was given.
    """
    info = event.pop("exc_info", None)
    event.pop("exc_text", None)
    event.pop("stack_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
        event["passed"] = _places(error)
    return event


def _places(error: BaseException) -> list[str]:
    """Return where an exception passed, innermost last, as `file:line function`."""
    found = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-PLACES_MAX:]
