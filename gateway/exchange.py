"""One upstream call, up to its answer or to the first event of its stream."""

import asyncio

import msgspec

from domain.health import Live, answer_deadline, first_token_deadline
from domain.request import RequestFacts
from domain.snapshot import Capability, Deployment
from gateway.account import Served
from gateway.adapter.adapters import ADAPTERS
from gateway.answer import Answer, error_body, of_error, whole_answer
from gateway.deadline import Deadline, Deadlines
from gateway.egress.client import HttpClient, Outbound
from gateway.egress.errors import EgressError
from gateway.egress.inbound import Inbound
from gateway.failure import End, UpstreamFailure, of_transport
from gateway.format import Request
from gateway.keys import KeyRing


class Exchange:
    """One per process."""

    def __init__(self, http: HttpClient, keys: KeyRing, deadlines: Deadlines) -> None:
        self._http = http
        self._keys = keys
        self._deadlines = deadlines

    async def call(
        self, request: Request, served: Served, until: float, *, asks_usage: bool
    ) -> Answer:
        """`until` is of the loop's clock. Raises `UpstreamFailure`."""
        try:
            with Deadline(self._deadlines, until):
                inbound = await self._http.send(self._outbound(request, served, asks_usage))
                try:
                    if not 200 <= inbound.status < 300:
                        adapter = ADAPTERS[served.candidate.deployment.provider.type]
                        body = await error_body(inbound)
                        raise adapter.error(inbound.status, inbound.headers, body)
                    if request.stream:
                        return await self._first_events(request, served, inbound)
                    return await whole_answer(request, served, inbound)
                except BaseException:
                    inbound.abort()
                    raise
        except TimeoutError:
            raise UpstreamFailure(End.TIMEOUT, "did not answer in time") from None
        except EgressError as error:
            raise of_transport(error) from error

    def _outbound(self, request: Request, served: Served, asks_usage: bool) -> Outbound:
        deployment = served.candidate.deployment
        key = None
        if served.credential is not None:
            try:
                key = self._keys.open(served.credential, deployment.provider)
            except ValueError:
                raise UpstreamFailure(
                    End.KEY_REFUSED, "has a stored key that does not open for its address"
                ) from None
        return request.outbound(deployment, key, asks_usage=asks_usage)

    async def _first_events(self, request: Request, served: Served, inbound: Inbound) -> Answer:
        """Up to the first that says something: until then another candidate can take over."""
        if not inbound.headers.get("content-type", "").startswith("text/event-stream"):
            await whole_answer(request, served, inbound)
            raise UpstreamFailure(End.MALFORMED, "did not stream")
        scanner, writer = request.reader(served.candidate.deployment)
        held = b""
        while not scanner.started:
            piece = await inbound.next_piece()
            held += scanner.feed(piece)
            if scanner.error:
                raise of_error(scanner.error, inbound.headers)
            if scanner.failure is not None:
                words = f"{scanner.failure}: {scanner.words}" if scanner.words else scanner.failure
                raise UpstreamFailure(End.MALFORMED, words, status=inbound.status)
            if scanner.done or not piece:
                break
        if not scanner.started:
            raise UpstreamFailure(End.CUT, "ended its stream without an answer")
        first_token = asyncio.get_running_loop().time()
        served = msgspec.structs.replace(served, first_token=first_token)
        return Answer(served, held, inbound, scanner, writer)


def patience(deployment: Deployment, facts: RequestFacts, live: Live) -> float:
    """Seconds it has: to its first token when streaming, else to its end."""
    vitals = live.vitals.get(deployment.id)
    reasoning = Capability.REASONING in deployment.capabilities
    if not facts.stream:
        cap = facts.max_tokens
        if cap is None:
            cap = deployment.max_output_tokens
        return answer_deadline(vitals, facts.input_tokens, cap, reasoning=reasoning)
    set_by_hand = deployment.provider.timeouts.first_token_ms
    if set_by_hand is not None:
        return set_by_hand / 1000
    return first_token_deadline(vitals, facts.input_tokens, reasoning=reasoning)
