"""OpenAI's client for Node through every format out: the same answers, and no silent end."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from domain.snapshot import Modality, ProviderType
from tests.gateway.adapter.formats import EVERY, PATHS, serve
from tests.gateway.plane import KEY, MICRO, Plane
from tests.provider.embedding import vector
from tests.provider.server import FakeProvider

JUDGE = Path(__file__).parent / "judge.mjs"
CHUNKS = 9
MODELS = ["fake-i1000-c400-o20-r5", "fake-tools2", "fake-n3"]
EMBEDDERS = [ProviderType.CUSTOM, ProviderType.GOOGLE]
CALLS = [["weather", '{"city":"Bern"}'], ["time", '{"city":"Bern"}']]


async def _judged(plane: Plane, **told: Any) -> Any:
    asked = json.dumps({"baseURL": plane.base_url, "apiKey": KEY, **told})
    node = await asyncio.create_subprocess_exec(
        "node", JUDGE, asked, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complaint = await node.communicate()
    assert node.returncode == 0, complaint.decode()
    return json.loads(said)


@pytest.mark.parametrize("type", EVERY)
async def test_nodes_client_reads_every_format(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType
) -> None:
    for model in [*MODELS, *(f"fake-cut{chunk}" for chunk in range(CHUNKS))]:
        serve(plane, fake_provider, type, model)

    judged = (await _judged(plane, providers=["one"], embedders=[]))["one"]

    whole, streamed = judged["text"]
    words = "".join(f"word{number} " for number in range(8))
    assert (whole["content"], whole["finish_reason"]) == (words, "stop")
    usage = {"prompt_tokens": 1000, "completion_tokens": 20, "cost": 0.0033}
    assert whole["usage"] == usage
    assert streamed == whole
    for answer in judged["called"]:
        assert (answer["calls"], answer["finish_reason"]) == (CALLS, "tool_calls")
    assert [answer["content"] for answer in judged["seen"]] == ["word0 word1 word2 "] * 2
    assert all("iVBORw0KGgo=" in json.dumps(chat.body) for chat in fake_provider.chats[4:6])
    assert all('"city"' in json.dumps(chat.body) for chat in fake_provider.chats[4:6])
    assert [cut["raised"] for cut in judged["cut"]] == [True] * CHUNKS
    assert [cut["words"] for cut in judged["cut"]] == list(range(CHUNKS))


async def test_nodes_client_reads_embeddings(plane: Plane, fake_provider: FakeProvider) -> None:
    for type in EMBEDDERS:
        base_url = fake_provider.origin + PATHS[type]
        made = plane.provider(type.lower(), base_url, keys=("sk",), type=type)
        outputs = frozenset({Modality.EMBEDDING})
        plane.model(made, "fake-i7", input=2 * MICRO, outputs=outputs)
    slugs = [type.lower() for type in EMBEDDERS]

    judged = await _judged(plane, providers=[], embedders=slugs)

    for slug in slugs:
        assert judged[slug]["vectors"] == [vector("one", 4), vector("two three", 4)]
        assert judged[slug]["usage"]["cost"] == 0.000014
