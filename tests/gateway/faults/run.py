"""Runs cells of the fault table against real sockets, each with a spare to fall back on."""

import asyncio

import httpx2

from domain.pricing import dollars
from domain.ruleset import Alias
from domain.snapshot import Capability, Deployment, Modality, Provider, ProviderType
from domain.usage import Outcome, TokenUsage, UsageSource
from gateway.watch import Patience
from tests.gateway.adapter.formats import PATHS
from tests.gateway.faults.cells import CELLS, Cell, Fault, In, Result, body
from tests.gateway.faults.told import SPARE, streamed, whole
from tests.gateway.plane import KEY, MICRO, Plane, serving
from tests.provider.server import FakeProvider

PATIENCE = Patience(heartbeat=0.2, stall=0.6)
PRICES = {SPARE: (1_000, 2_000)}
"""Nano-dollars for a token in and out; of others, those below."""
PRICE = (3_000, 15_000)
ABLE = frozenset(Capability) - {Capability.REASONING}
"""A model that reasons is given a minute for its first token."""
WINDOWS = {SPARE: 256_000}
WINDOW = 128_000


async def run(fault: Fault) -> dict[Cell, Result]:
    """A data plane, a provider and a spare for this fault alone."""
    async with (
        FakeProvider() as provider,
        FakeProvider() as spare,
        serving(provider.host_port, spare.host_port, patience=PATIENCE) as plane,
    ):
        table = _Table(plane, provider, spare, fault)
        if fault.alone:
            return {cell: await table.cell(cell) for cell in fault.cells}
        results = await asyncio.gather(*map(table.cell, fault.cells))
        return dict(zip(fault.cells, results, strict=True))


class _Table:
    """Each cell has a provider and a model of its own, and so keys and health of its own."""

    def __init__(
        self, plane: Plane, provider: FakeProvider, spare: FakeProvider, fault: Fault
    ) -> None:
        self._plane = plane
        self._provider = provider
        self._fault = fault
        self._spares = {
            output: self._made(spare, SPARE, ProviderType.CUSTOM, f"{name}-n8", output)
            for name, output in (("chat", Modality.TEXT), ("embed", Modality.EMBEDDING))
        }
        self._models = {cell: self._deployed(number, cell) for number, cell in enumerate(CELLS)}
        plane.rules(
            aliases={
                f"smart{number}": Alias(
                    (self._models[cell].reference,), (self._spares[_output(cell)].reference,)
                )
                for number, cell in enumerate(CELLS)
            }
        )

    async def cell(self, cell: Cell) -> Result:
        asked = body(cell, self._fault, f"smart{CELLS.index(cell)}")
        results = [await self._request(cell, asked) for _ in range(self._fault.times)]
        return Result(
            ", then ".join(result.got for result in results),
            tuple(attempt for result in results for attempt in result.attempts),
            ", then ".join(result.billed for result in results),
        )

    async def _request(self, cell: Cell, asked: dict[str, object]) -> Result:
        url = f"{self._plane.base_url}/{cell.format.value}"
        headers = {"authorization": f"Bearer {KEY}"}
        async with (
            httpx2.AsyncClient(trust_env=False, timeout=60) as client,
            client.stream("POST", url, headers=headers, json=asked) as answer,
        ):
            pieces, broken = [], False
            try:
                async for piece in answer.aiter_raw():
                    pieces.append(piece)
            except httpx2.RemoteProtocolError:
                broken = True
            answer._content = b"".join(pieces)
        if answer.headers["content-type"].startswith("text/event-stream"):
            got = streamed(answer.headers, b"".join(pieces), broken=broken)
        else:
            got = whole(cell, answer)
        outcome = await self._outcome(answer.headers["x-fairlead-request-id"])
        attempts = _attempts(outcome)
        if got == "the answer" and attempts[-1].startswith("spare"):
            got = "the answer, ended by the spare"
        return Result(got, attempts, _billed(outcome, answer.headers))

    async def _outcome(self, id: str) -> Outcome:
        while True:
            for outcome in self._plane.records.outcomes:
                if str(outcome.id) == id:
                    return outcome
            await asyncio.sleep(0.01)

    def _deployed(self, number: int, cell: Cell) -> Deployment:
        model = f"m{number}-{self._fault.parts}"
        slug = f"p{number}"
        made = self._made(self._provider, slug, cell.out, model, _output(cell))
        for _ in range(3):
            # It is known to be quick, so that its deadlines are short.
            self._plane.configuration.observatory.succeeded(
                made, first_token=0.01, duration=0.02, usage=TokenUsage(10, output=8)
            )
        return made

    def _made(
        self,
        server: FakeProvider,
        slug: str,
        type: ProviderType,
        model: str,
        output: Modality,
    ) -> Deployment:
        base_url = server.origin + PATHS[type]
        made: Provider = self._plane.provider(slug, base_url, keys=("sk",), type=type)
        price = PRICES.get(slug, PRICE)
        return self._plane.model(
            made,
            model,
            input=price[0] * MICRO // 1_000,
            output=price[1] * MICRO // 1_000,
            capabilities=ABLE,
            context=WINDOWS.get(slug, WINDOW),
            outputs=frozenset({output}),
        )


def _output(cell: Cell) -> Modality:
    return Modality.EMBEDDING if cell.format is In.EMBEDDINGS else Modality.TEXT


def _attempts(outcome: Outcome) -> tuple[str, ...]:
    return tuple(
        f"spare {attempt.outcome}" if attempt.provider == SPARE else attempt.outcome
        for attempt in outcome.attempts
    )


def _billed(outcome: Outcome, headers: httpx2.Headers) -> str:
    """In tokens and dollars, once it is certain that the one follows from the other."""
    usage = outcome.usage
    if outcome.usage_source is UsageSource.NONE:
        assert (outcome.cost, usage) == (0, TokenUsage())
        return "nothing"
    # The last attempt is what is paid for, and it alone.
    assert outcome.usage == outcome.attempts[-1].usage
    assert outcome.provider_slug == outcome.attempts[-1].provider
    price = PRICES.get(outcome.provider_slug or "", PRICE)
    cost = usage.input * price[0] + usage.output * price[1]
    assert outcome.cost == cost
    assert headers.get("x-fairlead-cost", dollars(cost)) == dollars(cost)
    estimate = ", estimated" if outcome.usage_source is UsageSource.ESTIMATED else ""
    return f"{usage.input} in, {usage.output} out = ${dollars(cost)}{estimate}"
