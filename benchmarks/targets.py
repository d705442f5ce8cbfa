"""What is measured: the upstream itself, Fairlead in front of it, and peers in front of it."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

HERE = Path(__file__).parent
MODELS = ("mock", "mock-g10")

CREATE_PROVIDER = """
mutation ($input: CreateProviderInput!) {
  createProvider(input: $input) {
    ... on CreateProviderPayload { provider { id } }
    ... on Error { message }
  }
}
"""
CREATE_CREDENTIAL = """
mutation ($input: CreateCredentialInput!) {
  createCredential(input: $input) { __typename ... on Error { message } }
}
"""
CREATE_MODEL = """
mutation ($input: CreateModelInput!) {
  createModel(input: $input) { __typename ... on Error { message } }
}
"""
CREDIT_WALLET = """
mutation ($input: CreditWalletInput!) {
  creditWallet(input: $input) { __typename ... on Error { message } }
}
"""
ENFORCE_CREDITS = """
mutation ($input: UpdateCreditSettingsInput!) {
  updateCreditSettings(input: $input) { __typename ... on Error { message } }
}
"""


@dataclass(frozen=True)
class Target:
    """Where to send load; `pid` is the process tree whose CPU and memory are sampled."""

    name: str
    base_url: str
    key: str = "sk-none"
    pid: int = 0
    prefix: str = ""
    headers: list[str] = field(default_factory=list)

    def model(self, name: str) -> str:
        return self.prefix + name


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Until `url` answers 200; SystemExit when the process ends or time runs out."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"{process.args} ended with {process.returncode}")
        try:
            if httpx2.get(url, timeout=1, trust_env=False).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not answer within {seconds} s")


@contextmanager
def running(command: list[str], core: int, log: Path, **env: str) -> Iterator[subprocess.Popen]:
    """A server pinned to one core, ended with the block."""
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | env
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *command], env=variables, stdout=out, stderr=out
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def mock_upstream() -> Iterator[int]:
    """benchmarks/mock.c, compiled, on core 0; gives its port."""
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "mock"
        subprocess.run(["gcc", "-O2", "-w", "-o", binary, HERE / "mock.c"], check=True)
        port = free_port()
        with running([str(binary), str(port)], 0, Path(folder) / "log") as process:
            wait_for(f"http://127.0.0.1:{port}/v1/models", process)
            yield port


def direct(upstream: int) -> Target:
    return Target("direct", f"http://127.0.0.1:{upstream}/v1")


@contextmanager
def fairlead(
    upstream: int, *, enforced: bool = False, module: str = "fairlead", **more: str
) -> Iterator[Target]:
    """An installation on a data directory of its own, with everything switched on.

    It is migrated and seeded before it serves, as with every start but the first.

    `enforced`: credits too, paid from one wallet that is never empty. `module` is what serves,
    with `more` in its environment.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        env = {
            "FAIRLEAD_DATA_DIR": f"{folder}/data",
            "FAIRLEAD_ALLOW_PRIVATE_HOSTS": f"127.0.0.1:{upstream}",
        } | more
        os.chmod(folder, 0o755)
        subprocess.run(
            [sys.executable, "-m", "fairlead", "seed"],
            env=os.environ | env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        command = [sys.executable, "-m", module, "serve", "--port", str(port)]
        with running(command, 1, Path(folder) / "log", **env) as process:
            wait_for(f"http://127.0.0.1:{port}/readyz", process)
            _move_database(folder, 0)
            key = administrator_key(env)
            configure(f"http://127.0.0.1:{port}/graphql", key, upstream, enforced=enforced)
            name = "enforced" if enforced else "fairlead"
            yield Target(name, f"http://127.0.0.1:{port}/v1", key, process.pid, "bench/")


def _move_database(folder: str, core: int) -> None:
    """Peers run without a database: ours is not to take from the core that is measured."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.readlink(entry / "cwd").startswith(folder):
                os.sched_setaffinity(int(entry.name), {core})


def administrator_key(env: dict[str, str]) -> str:
    command = [sys.executable, "-m", "fairlead", "keys", "create", "--admin", "--name", "bench"]
    done = subprocess.run(command, env=os.environ | env, capture_output=True, text=True, check=True)
    found = re.search(r"fl_\w{61,}", done.stdout)
    if found is None:
        raise SystemExit("`fairlead keys create` printed no key")
    return found[0]


def configure(url: str, key: str, upstream: int, *, enforced: bool) -> None:
    """One CUSTOM provider with a key and the mock's models, priced."""
    with httpx2.Client(trust_env=False, headers={"authorization": f"Bearer {key}"}) as client:

        def run(document: str, **values: object) -> dict:
            body = {"query": document, "variables": {"input": values}}
            answer = client.post(url, json=body).json()
            if "errors" in answer or "message" in next(iter(answer["data"].values())):
                raise SystemExit(str(answer))
            found: dict = next(iter(answer["data"].values()))
            return found

        made = run(
            CREATE_PROVIDER,
            slug="bench",
            name="Bench",
            type="CUSTOM",
            baseUrl=f"http://127.0.0.1:{upstream}/v1",
        )
        provider = made["provider"]["id"]
        run(CREATE_CREDENTIAL, provider=provider, name="bench", secret="sk-bench-upstream-000")
        for name in MODELS:
            price = {"input": "0.60", "output": "2.40"}
            run(CREATE_MODEL, provider=provider, name=name, price=price)
        if enforced:
            who = client.post(url, json={"query": "{ viewer { organization { id } } }"}).json()
            payer = who["data"]["viewer"]["organization"]["id"]
            paid = {"amount": "1000000", "reason": "benchmark", "idempotencyKey": "bench"}
            run(CREDIT_WALLET, wallet=payer, **paid)
            run(ENFORCE_CREDITS, mode="ENFORCED")


@contextmanager
def litellm(upstream: int, venv: str) -> Iterator[Target]:
    """LiteLLM's proxy without a database, one worker."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        models = "".join(
            f"  - {{model_name: {name}, litellm_params: {{model: openai/{name},"
            f' api_base: "http://127.0.0.1:{upstream}/v1", api_key: sk-up}}}}\n'
            for name in MODELS
        )
        config.write_text(
            f"model_list:\n{models}litellm_settings:\n  json_logs: true\n  num_retries: 0\n"
            "general_settings:\n  master_key: sk-bench\n"
        )
        command = [f"{venv}/bin/litellm", "--config", str(config), "--port", str(port)]
        with running([*command, "--num_workers", "1"], 1, Path(folder) / "log") as process:
            wait_for(f"http://127.0.0.1:{port}/health/liveliness", process)
            yield Target("litellm", f"http://127.0.0.1:{port}/v1", "sk-bench", process.pid)


@contextmanager
def portkey(upstream: int, folder: str) -> Iterator[Target]:
    """Portkey's gateway, one process; the upstream is named by headers."""
    port = free_port()
    start = f"{folder}/node_modules/@portkey-ai/gateway/build/start-server.js"
    with tempfile.TemporaryDirectory() as logs:
        command = ["node", start, "--headless", f"--port={port}"]
        with running(command, 1, Path(logs) / "log") as process:
            wait_for(f"http://127.0.0.1:{port}/", process)
            headers = [
                "x-portkey-provider:openai",
                f"x-portkey-custom-host:http://127.0.0.1:{upstream}/v1",
            ]
            url = f"http://127.0.0.1:{port}/v1"
            yield Target("portkey", url, "sk-up", process.pid, headers=headers)
