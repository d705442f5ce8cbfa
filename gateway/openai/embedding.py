"""An embeddings request as it came: what routing needs is read, everything else stays as it is."""

import uuid
from collections.abc import Mapping
from typing import Annotated

import msgspec

from domain.errors import MalformedRequest
from domain.principal import Principal
from domain.request import RequestFacts
from domain.ruleset import PowerLevel
from domain.snapshot import Modality
from domain.tokens import Count, TokenCounter
from gateway.openai.request import LONGEST_NAME, MOST_TOKENS, SESSION_HEADER, decoded

MOST_INPUTS = 2048
"""As at OpenAI."""
FORMS = ("float", "base64")

Token = Annotated[int, msgspec.Meta(ge=0, le=MOST_TOKENS)]
Tokens = list[Token]


class _Head(msgspec.Struct):
    """Null is the same as absent, as at OpenAI."""

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
    input: str | Annotated[list[str | Token | Tokens], msgspec.Meta(min_length=1)]
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=MOST_TOKENS)] | None = None
    encoding_format: str | None = None


_head = msgspec.json.Decoder(_Head)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class EmbeddingRequest:
    """`fields` is the body's top level, raw. `inputs` are texts, or tokens of OpenAI's."""

    __slots__ = ("base64", "dimensions", "fields", "inputs", "model")

    def __init__(self, body: bytes) -> None:
        """Raises `MalformedRequest`, which says what is wrong and where."""
        head = decoded(body, _head.decode)
        self.fields = _fields.decode(body)
        self.model = head.model
        self.inputs = _inputs(head.input)
        self.dimensions = head.dimensions
        form = head.encoding_format or FORMS[0]
        if form not in FORMS:
            either = " or ".join(f"`{name}`" for name in FORMS)
            raise MalformedRequest(f"`encoding_format` is {either}.", param="encoding_format")
        self.base64 = form == "base64"

    def facts(
        self,
        id: uuid.UUID,
        now: float,
        principal: Principal,
        headers: Mapping[str, str],
        size: Count,
    ) -> RequestFacts:
        """What a routing decision depends on; `now` in Unix seconds."""
        level = principal.power_level
        given = headers.get(SESSION_HEADER)
        return RequestFacts(
            id=id,
            now=now,
            model=self.model,
            user_id=principal.user_id,
            input_tokens=size.tokens,
            input_estimated=size.estimated,
            # There is no output to wait or pay for.
            max_tokens=0,
            modalities=frozenset({Modality.TEXT, Modality.EMBEDDING}),
            organization_id=principal.organization_id,
            level=None if level is None else PowerLevel(level),
            allowed_models=principal.allowed_models,
            session=f"{principal.user_id}:{given}" if given else None,
        )

    def count(self, counter: TokenCounter) -> Count:
        texts = [said for said in self.inputs if isinstance(said, str)]
        tokens = sum(len(said) for said in self.inputs if not isinstance(said, str))
        counted = counter.count("\n".join(texts)) if texts else Count(0, False)
        return Count(counted.tokens + tokens, counted.estimated)


def _inputs(said: str | list[str | int | Tokens]) -> list[str | Tokens]:
    if isinstance(said, str):
        return [said]
    numbers = [each for each in said if isinstance(each, int)]
    if numbers and len(numbers) == len(said):
        return [numbers]
    inputs = [each for each in said if not isinstance(each, int)]
    texts = sum(isinstance(each, str) for each in inputs)
    if numbers or texts not in (0, len(inputs)):
        raise MalformedRequest("`input` is of texts, or of tokens: not of both.", param="input")
    if len(inputs) > MOST_INPUTS:
        raise MalformedRequest(f"`input` has more than {MOST_INPUTS} members.", param="input")
    return inputs
