"""Prints the fault table as it is measured: `python -m tests.gateway.faults > docs/faults.md`."""

import asyncio
import sys

import structlog

from tests.gateway.faults.cells import FAULTS
from tests.gateway.faults.page import HEAD, lines
from tests.gateway.faults.run import run


async def _measured() -> str:
    return HEAD + "".join([lines(fault, await run(fault)) for fault in FAULTS])


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    sys.stdout.write(asyncio.run(_measured()))
