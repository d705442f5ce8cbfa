"""A whole installation as a user starts it: `python -m fairlead serve` in a process of its own."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

_KEY = re.compile(r"fl_\w{61,}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Installation:
    """A running server; `key` is the administrator key its first start printed."""

    base_url: str
    env: dict[str, str]
    process: asyncio.subprocess.Process
    output: Path
    key: str = ""

    async def graphql(self, document: str, *, key: str | None = None, **variables: Any) -> Any:
        """`data` of one operation; AssertionError when it has errors."""
        body = {"query": document, "variables": variables}
        answer = await self.post("/graphql", body, key=key)
        assert "errors" not in answer, answer
        return answer["data"]

    async def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        """The JSON that is answered."""
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
            headers = {"authorization": f"Bearer {key or self.key}"}
            answer = await client.post(f"{self.base_url}{path}", json=body, headers=headers)
        return answer.json()

    async def kill(self) -> None:
        """kill -9: what is not on disk is gone."""
        os.kill(self.process.pid, signal.SIGKILL)
        await self.process.wait()


async def _until_ready(installation: Installation) -> None:
    async with httpx2.AsyncClient(trust_env=False, timeout=2) as client:
        for _ in range(600):
            assert installation.process.returncode is None, installation.output.read_text()
            with suppress(httpx2.HTTPError):
                if (await client.get(f"{installation.base_url}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise AssertionError(installation.output.read_text())


async def start(folder: Path, module: str = "fairlead", **env: str) -> Installation:
    """Serve from `folder`; a second start on the same folder continues the first."""
    port = int(env.get("PORT", "0")) or free_port()
    output = folder / f"output-{port}"
    variables = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
    variables |= {"FAIRLEAD_DATA_DIR": str(folder / "data"), **env}
    variables.pop("DATABASE_URL", None)
    with output.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, "serve", "--port", str(port)),
            env=variables | env,
            stdout=out,
            stderr=out,
        )
    installation = Installation(f"http://127.0.0.1:{port}", variables, process, output)
    await _until_ready(installation)
    found = _KEY.search(output.read_text())
    installation.key = found[0] if found else ""
    return installation


@asynccontextmanager
async def running(
    folder: Path, port: int | None = None, module: str = "fairlead", **env: str
) -> AsyncIterator[Installation]:
    """An installation that is stopped with SIGTERM at the end of the block."""
    installation = await start(folder, module, **env)
    try:
        yield installation
    finally:
        if installation.process.returncode is None:
            installation.process.terminate()
            await installation.process.wait()
