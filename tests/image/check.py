"""`make image-check`: runs the image with nothing that it can do without, and uses it."""

import asyncio
import base64
import os
import re
import secrets
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionUserMessageParam

from tests.e2e.local import CREATE_MODEL, CREATE_PROVIDER, PRICE
from tests.image.engine import Container, Yard, copied, engine, image, yard

IMAGE = os.environ.get("FAIRLEAD_IMAGE", "fairlead")
ROOT = Path(__file__).parents[2]
LOCKED_DOWN = (
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges"),
)
HEALTH, STATE = "{{.State.Health.Status}}", "{{.State.Status}} {{.State.ExitCode}}"
PORT = '{{(index (index .NetworkSettings.Ports "8000/tcp") 0).HostPort}}'
HELLO: ChatCompletionUserMessageParam = {"role": "user", "content": "Hello"}
NO_PRIVILEGES = {
    **{name: "10001\t10001\t10001\t10001" for name in ("Uid", "Gid")},
    **{name: "0" * 16 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")},
    "NoNewPrivs": "1",
}
NOT_NEEDED = ("pip", "cc", "gcc", "make", "node", "npm", "git", "uv")
UNWANTED = r"""
import importlib.util, pathlib, shutil, sys
path = "/opt/fairlead/bin:/usr/bin:/bin"
found = [name for name in sys.argv[1:] if shutil.which(name, path=path)]
found += [name for name in ("tests", "benchmarks", "pip") if importlib.util.find_spec(name)]
found += map(str, pathlib.Path("/opt/fairlead").glob("**/node_modules"))
print(*found)
"""


def told(what: str, figure: object = "") -> None:
    sys.stdout.write(f"  ok  {what}{': ' if figure != '' else ''}{figure}\n")
    sys.stdout.flush()


def outside(yard_: Yard) -> None:
    """A PostgreSQL and the fake provider, each in a container of its own."""
    database = yard_.start("postgres", "postgres:17", env={"POSTGRES_PASSWORD": "check"})
    # The server that the image runs while it sets itself up listens on its socket alone.
    ready = ("sh", "-c", "until pg_isready -q -h 127.0.0.1; do sleep 0.2; done")
    database.run(*ready)
    command = ("-c", "from tests.provider.__main__ import main; main()", "--host", "0.0.0.0")
    options = ("--workdir", "/tmp", "--entrypoint", "python")
    provider = yard_.create("provider", IMAGE, *options, command=command)
    copied(ROOT / "tests", provider, "/tmp/tests")
    engine("start", provider.name)


def fairlead(yard_: Yard, name: str, volume: str, env: Mapping[str, str]) -> Container:
    options = ("--publish", "127.0.0.1::8000", "--volume", f"{volume}:/var/lib/fairlead")
    return yard_.start(name, IMAGE, *LOCKED_DOWN, *options, env=env)


def check_what_is_inside(container: Container) -> None:
    size = image(IMAGE)["Size"]
    told("size of the image, its base included", f"{size / 1e6:.0f} MB")
    found = container.run("python", "-c", UNWANTED, *NOT_NEEDED).strip()
    assert found == "", f"not needed and there: {found}"
    told("no installer, compiler, node_modules or test is in it")


def check_privileges(container: Container) -> None:
    said = container.run("cat", "/proc/1/status")
    status = dict(re.findall(r"^(\w+):\t(.*)$", said, re.MULTILINE))
    assert {name: status[name] for name in NO_PRIVILEGES} == NO_PRIVILEGES, said
    told("runs as 10001, without capabilities, and can get none")
    for place in ("/", "/opt/fairlead", "/etc", "/usr/local"):
        said = container.run("touch", f"{place}/x", check=False)
        assert "Read-only file system" in said, said
    told("cannot write to its own files")


def check_writes(container: Container) -> None:
    changed = engine("diff", container.name).strip()
    assert changed == "", changed
    assert container.run("find", "/tmp", "-type", "f").strip() == ""
    kept = container.run("find", "/var/lib/fairlead", "-maxdepth", "1", "-mindepth", "1")
    told("writes to its volume alone", " ".join(sorted(Path(n).name for n in kept.split())))


async def add_models(client: httpx2.AsyncClient, *names: str) -> None:
    async def changed(document: str, **values: object) -> Any:
        body = {"query": document, "variables": {"input": values}}
        answer = (await client.post("/graphql", json=body)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    given = {"slug": "local", "name": "Local", "type": "CUSTOM"}
    made = await changed(CREATE_PROVIDER, baseUrl="http://provider:9100/v1", **given)
    provider = made["createProvider"]["provider"]["id"]
    for name in names:
        await changed(CREATE_MODEL, provider=provider, name=name, price=PRICE)


async def check_use(container: Container, client: httpx2.AsyncClient, sdk: AsyncOpenAI) -> None:
    """A whole answer, then a stop in the middle of a stream."""
    await add_models(client, "fake-n8", "fake-n60-g50")
    answer = await sdk.chat.completions.create(model="local/fake-n8", messages=[HELLO])
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 8
    told("answers an OpenAI SDK", answer.choices[0].message.content or "")
    stream = await sdk.chat.completions.create(
        model="local/fake-n60-g50", messages=[HELLO], stream=True
    )
    words, stopping = 0, None
    async for chunk in stream:
        words += sum(bool(choice.delta.content) for choice in chunk.choices)
        if words == 10 and stopping is None:
            stopping = asyncio.create_task(asyncio.to_thread(stop, container))
        if words == 50:
            ready, alive = await client.get("/readyz"), await client.get("/livez")
    assert (words, ready.status_code, alive.status_code) == (60, 503, 200)
    assert stopping is not None
    await stopping
    told("stopped in a stream: all of it arrives, unready and alive meanwhile, exit code 0")


def stop(container: Container) -> None:
    engine("stop", "--time", "65", container.name)
    assert container.looked(STATE) == "exited 0", container.says()


async def check_database_away(yard_: Yard, container: Container) -> None:
    engine("stop", f"{yard_.network}-postgres")
    async with httpx2.AsyncClient(trust_env=False, base_url=address(container)) as client:
        for _ in range(100):
            ready, alive = await client.get("/readyz"), await client.get("/livez")
            assert (ready.status_code, alive.status_code) == (200, 200)
            if "the database is away" in ready.text:
                break
            await asyncio.sleep(0.1)
    assert "the database is away" in ready.text, ready.text
    told("alive and ready while the database is away", ready.text.strip())


def check_alone(yard_: Yard) -> None:
    """With the PostgreSQL that comes along, on the volume."""
    alone = fairlead(yard_, "alone", yard_.volume(), {})
    told("with its own PostgreSQL: ready", f"{until_ready(alone):.1f} s")
    stop(alone)
    assert engine("diff", alone.name).strip() == ""
    told("stops that too, exit code 0, and wrote to its volume alone")


def address(container: Container) -> str:
    return f"http://127.0.0.1:{container.looked(PORT)}"


def until_ready(container: Container) -> float:
    """Seconds until it serves."""
    began = time.monotonic()
    with httpx2.Client(trust_env=False, base_url=address(container), verify=False) as client:
        while time.monotonic() - began < 60:
            with suppress(httpx2.HTTPError):
                if client.get("/readyz").status_code == 200:
                    return time.monotonic() - began
            time.sleep(0.05)
    raise RuntimeError(container.says())


async def main() -> None:
    with yard() as made:
        outside(made)
        env = {
            "DATABASE_URL": "postgresql://postgres:check@postgres:5432/postgres",
            "ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "FAIRLEAD_ALLOW_PRIVATE_HOSTS": "provider:9100",
        }
        served = fairlead(made, "fairlead", made.volume(), env)
        told("migrated, seeded and ready", f"{until_ready(served):.1f} s")
        served.until(HEALTH, "healthy")
        told("healthy by the image's own check")
        check_what_is_inside(served)
        check_privileges(served)
        found = re.search(r"fl_\w{61,}", served.says())
        assert found is not None, served.says()
        url, headers = address(served), {"authorization": f"Bearer {found[0]}"}
        async with (
            httpx2.AsyncClient(trust_env=False, base_url=url, headers=headers) as client,
            AsyncOpenAI(base_url=f"{url}/v1", api_key=found[0], max_retries=0) as sdk,
        ):
            await check_use(served, client, sdk)
        engine("start", served.name)
        told("started again: ready", f"{until_ready(served):.1f} s")
        check_writes(served)
        await check_database_away(made, served)
        check_alone(made)


if __name__ == "__main__":
    asyncio.run(main())
