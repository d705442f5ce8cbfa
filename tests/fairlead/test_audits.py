"""The GraphQL-over-HTTP specification, as its authors' own audits see us."""

import asyncio
from pathlib import Path

from tests.fairlead.conftest import Door


async def test_every_audit_passes_but_those_of_get(door: Door, checkout: Path) -> None:
    script = checkout / "tests" / "e2e" / "audits.mjs"
    process = await asyncio.create_subprocess_exec(
        "node", str(script), f"{door.url}/graphql", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    *deviations, summary = output.decode().splitlines()

    assert process.returncode == 0, output.decode()
    assert summary == "58 of 61 audits passed; MUST: 13 of 13"
    assert all(line.startswith("notice") and " GET" in line for line in deviations), deviations
