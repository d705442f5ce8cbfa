"""Gemini's stream of answers as OpenAI's events, as they come."""

import msgspec

from domain.snapshot import Deployment
from gateway.adapter.base import Translate
from gateway.adapter.chunks import Chunks, error_event
from gateway.adapter.events import NO_EVENT, Events
from gateway.adapter.google.whole import (
    Candidate,
    Part,
    Response,
    called,
    finished,
    logprobs,
    refused,
    response,
)
from gateway.openai.request import ChatRequest


def stream(deployment: Deployment, request: ChatRequest) -> Translate:
    return _Stream(deployment, request).feed


class _Stream:
    """`feed` it what arrives; an error before anything was said is raised, a later one an event.

    There is no terminal event: a finish reason for each choice and a clean end are one.
    """

    __slots__ = ("_begun", "_calls", "_choices", "_chunks", "_ended", "_events", "_name")

    def __init__(self, deployment: Deployment, request: ChatRequest) -> None:
        self._events = Events()
        self._chunks = Chunks(shows_usage=request.shows_usage)
        self._name = deployment.name
        self._calls: dict[int, int] = {}
        self._choices = request.choices
        self._ended: set[int] = set()
        self._begun = False

    def feed(self, piece: bytes) -> bytes:
        passed = b"".join([self._translated(payload) for payload in self._events.feed(piece)])
        return passed + NO_EVENT if self._events.overlong else passed

    def _translated(self, payload: bytes) -> bytes:
        try:
            said = response.decode(payload)
        except (msgspec.DecodeError, RecursionError):
            return NO_EVENT
        failure = refused(said, payload)
        if failure is not None:
            if self._begun:
                return error_event(failure.words)
            raise failure
        begins = not self._begun and bool(said.candidates)
        first = self._first(said) if begins else b""
        passed = [self._candidate(candidate) for candidate in said.candidates]
        return b"".join((first, *passed, self._figures(said, begins=begins)))

    def _first(self, said: Response) -> bytes:
        self._begun = True
        self._chunks.begin(said.response_id, said.model_version or self._name)
        return self._chunks.delta({"role": "assistant", "content": ""})

    def _candidate(self, candidate: Candidate) -> bytes:
        index, seen = candidate.index, candidate.logprobs_result
        passed = [self._part(part, index) for part in candidate.content.parts]
        if seen is not None:
            passed.append(self._chunks.delta({}, index, logprobs=logprobs(seen)))
        if candidate.finish_reason is not None:
            finish = finished(candidate.finish_reason, called=bool(self._calls.get(index)))
            self._ended.add(index)
            passed.append(
                error_event(f"The answer ended with {candidate.finish_reason[:50]}.")
                if finish is None
                else self._chunks.finish(finish, index)
            )
        return b"".join(passed)

    def _part(self, part: Part, index: int) -> bytes:
        if part.function_call is not None:
            number = self._calls.get(index, 0)
            self._calls[index] = number + 1
            call = {"index": number, **called(part, part.function_call)}
            return self._chunks.delta({"tool_calls": [call]}, index)
        if not part.text:
            return b""
        if part.thought:
            return self._chunks.delta({"reasoning_content": part.text}, index)
        return self._chunks.text(part.text, index)

    def _figures(self, said: Response, *, begins: bool) -> bytes:
        """Every event has figures so far; the last are the answer's, and the first say what the
        prompt came to, should the answer break off."""
        usage = said.usage_metadata
        if usage is None or not (begins or len(self._ended) >= self._choices):
            return b""
        return b"" if (figures := usage.figures) is None else self._chunks.usage(figures)
