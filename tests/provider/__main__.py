"""Runs the fake provider on its own: `python -m tests.provider --port 9100`."""

import argparse
import asyncio
import sys

import uvloop

from tests.provider.behaviour import GRAMMAR
from tests.provider.server import FakeProvider

_HELP = """\
Fake provider: OpenAI clients use {base_url}{key}
  curl {base_url}/chat/completions -H 'content-type: application/json' \\
    -d '{{"model":"fake-t50","stream":true,"messages":[{{"role":"user","content":"hello"}}]}}'
  curl {origin}/log              what was asked and what was sent (DELETE empties it)

{grammar}
"""


async def _serve(host: str, port: int, key: str | None) -> None:
    async with FakeProvider(key=key, host=host, port=port) as provider:
        hint = " with the key given" if key else ""
        sys.stdout.write(
            _HELP.format(
                base_url=provider.base_url, origin=provider.origin, key=hint, grammar=GRAMMAR
            )
        )
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.provider")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--key", help="the API key to insist on; none: any is taken")
    given = parser.parse_args()
    try:
        uvloop.run(_serve(given.host, given.port, given.key))
    except KeyboardInterrupt:
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
