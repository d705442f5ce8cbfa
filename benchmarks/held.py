"""What strangers and slow clients can hold of a whole installation: python -m benchmarks.held."""

import argparse
import asyncio
import json
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.installation import Installation, running
from tests.e2e.local import add_models
from tests.provider.server import FakeProvider

MODEL = "fake-n600-g500"
"""Ten minutes of an answer, two events a second."""
MESSAGE = {"role": "user", "content": "x"}
PATIENT = 40.0


class Site:
    """Connections to an installation, by hand."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.port = urlsplit(installation.base_url).port or 0
        host = f"host: 127.0.0.1:{self.port}\r\n"
        self.signed = f"{host}authorization: Bearer {installation.key}\r\n"
        self.stranger = f"{host}origin: http://127.0.0.1:{self.port}\r\n"

    def post(self, path: str, headers: str, size: int) -> bytes:
        head = f"POST {path} HTTP/1.1\r\n{headers}content-type: application/json\r\n"
        return f"{head}content-length: {size}\r\n\r\n".encode()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", self.port))
        return await asyncio.open_connection(sock=client, limit=1024)

    def memory(self) -> float:
        """Resident, in MB."""
        status = Path(f"/proc/{self.installation.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def until_cut(site: Site, first: bytes, drop: bytes) -> str:
    """What is answered to a sender of a drop a second, and when the connection ends."""
    reader, writer = await site.connect()
    began, got = time.monotonic(), b""
    writer.write(first)

    async def drip() -> None:
        with suppress(ConnectionError):
            while drop:
                await asyncio.sleep(1)
                writer.write(drop)
                await writer.drain()

    drips = asyncio.create_task(drip())
    took = None
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENT):
            with suppress(ConnectionError):
                while piece := await reader.read(4096):
                    got += piece
            took = time.monotonic() - began
    drips.cancel()
    writer.close()
    said = got.split(b"\r\n", 1)[0].decode() or "nothing"
    return f"{said}, {'open' if took is None else f'closed after {took:.1f} s'}"


def slow_senders(site: Site) -> dict[str, tuple[bytes, bytes]]:
    start = f"POST /v1/chat/completions HTTP/1.1\r\n{site.signed}"
    upgrade = (
        f"GET /graphql HTTP/1.1\r\n{site.signed}connection: upgrade\r\nupgrade: websocket\r\n"
        "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    ).encode()
    return {
        "silent": (b"", b""),
        "head dripped": (f"{start}x-a: ".encode(), b"a"),
        "blank lines dripped": (b"", b"\r\n"),
        "body dripped, /v1": (site.post("/v1/chat/completions", site.signed, 1000) + b"{", b" "),
        "body dripped, /graphql": (site.post("/graphql", site.signed, 1000) + b"{", b" "),
        "body dripped, /session": (site.post("/session", site.stranger, 1000) + b"{", b" "),
        "body after a refusal": (site.post("/v1/embeddings", site.stranger, 100_000) + b"{", b" "),
        "body to a page": (site.post("/", site.stranger, 100_000) + b"{", b" "),
        "socket without init": (upgrade, b""),
        "socket, frame dripped": (upgrade, b"\x81"),
    }


async def hold(site: Site, head: bytes, many: int, seconds: float) -> tuple[float, int]:
    """MB that `many` readers of a byte a second add, and how many of them are being answered."""
    before, held, answered = site.memory(), [], 0
    for _ in range(many):
        reader, writer = await site.connect()
        writer.write(head)
        held.append((reader, writer))
    ends = time.monotonic() + seconds
    most = 0.0
    while time.monotonic() < ends:
        began = time.monotonic()
        for reader, _ in held:
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(0.001):
                    answered += len(await reader.read(1))
        most = max(most, site.memory() - before)
        await asyncio.sleep(max(0.0, 1 - (time.monotonic() - began)))
    for _, writer in held:
        writer.transport.abort()
    return most, answered


async def measure(folder: Path, readers: int, seconds: float) -> None:
    async with (
        FakeProvider() as fake,
        running(folder, FAIRLEAD_ALLOW_PRIVATE_HOSTS=fake.host_port) as installation,
    ):
        await add_models(installation, fake, MODEL)
        site = Site(installation)
        for kind, head in heads(site).items():
            grown, read = await hold(site, head, readers, seconds)
            print(f"{readers} readers at 1 B/s of {kind}: +{grown:.0f} MB, {read} bytes read")
        senders = slow_senders(site)
        ends = await asyncio.gather(*(until_cut(site, *each) for each in senders.values()))
        for kind, said in zip(senders, ends, strict=True):
            print(f"{kind:24} {said}")


def heads(site: Site) -> dict[str, bytes]:
    """Requests for what takes long to read."""
    asked = {"model": f"local/{MODEL}", "stream": True, "messages": [MESSAGE]}
    body = json.dumps(asked).encode()
    files = sorted(Path("gateway/static/assets").glob("*.js"), key=lambda file: file.stat().st_size)
    found = {"streams": site.post("/v1/chat/completions", site.signed, len(body)) + body}
    if files:
        head = f"GET /assets/{files[-1].name} HTTP/1.1\r\n{site.stranger}\r\n"
        found["the largest script"] = head.encode()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="held-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        asyncio.run(measure(folder, given.readers, given.seconds))


if __name__ == "__main__":
    main()
