"""Where usage is no longer asked for: only at models that answered without being asked."""

import uuid

from openai.types.chat import ChatCompletionMessageParam

from domain.snapshot import Deployment, Provider, ProviderType
from domain.usage import UsageSource
from gateway.asking import Asking
from gateway.failure import End, UpstreamFailure
from gateway.openai.completions import decode
from tests.gateway.plane import Plane, identity
from tests.provider.server import FakeProvider

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say something."}]


async def _stream(plane: Plane, model: str) -> None:
    async for _ in await plane.client.chat.completions.create(
        model=model, messages=HELLO, stream=True
    ):
        pass


async def test_other_models_of_the_provider_still_report_their_usage(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    one = plane.provider("one", fake_provider.base_url)
    plane.model(one, "fake-nooptions")
    plane.model(one, "fake-n3")

    await _stream(plane, "one/fake-nooptions")
    await _stream(plane, "one/fake-n3")

    old, other = await plane.records.settled(2)
    assert old.usage_source is UsageSource.ESTIMATED
    assert other.usage_source is UsageSource.PROVIDER


def test_a_refusal_that_quotes_the_caller_changes_nothing_for_others() -> None:
    provider = Provider(identity("p"), "p", ProviderType.CUSTOM, "https://llm.example/v1")
    deployment = Deployment(identity("m"), provider, "model-1", "model-1", "Model 1")
    request = decode(b'{"model":"auto","messages":[{}],"stream":true}', {})
    refusing = set[uuid.UUID]()
    asking = Asking(request, refusing)

    quoted = UpstreamFailure(End.REJECTED, "stop: 'stream_options' is not a list", status=400)
    again = asking.refused(deployment, quoted)

    assert again
    assert not asking.asks(deployment)
    assert not asking.refused(deployment, quoted)
    assert Asking(request, refusing).asks(deployment)
