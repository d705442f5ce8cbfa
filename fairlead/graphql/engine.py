"""Takes one operation from text to result: the same steps whatever brought it here.

Strawberry builds the schema and its resolvers; the document is parsed, bounded and validated once,
kept, and executed by graphql-core with Strawberry's own execution context.
"""

import asyncio
from collections import OrderedDict
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Hashable,
    Sequence,
)
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    execute,
    execute_subscription_event,
    get_operation_ast,
    parse,
)

from domain.bucket import Buckets, Rate
from domain.errors import LimitExceeded, MalformedRequest, RequestTooLarge, Unauthenticated
from domain.principal import Principal
from fairlead.graphql.encode import Response, encode, encoded
from fairlead.graphql.errors import Refused, internal, refused, shown, timed_out
from fairlead.graphql.executor import executor_for
from fairlead.graphql.request import GraphQLRequest
from fairlead.graphql.rights import RightsEnded
from fairlead.graphql.shared import Member, Shared, variables_below
from fairlead.graphql.validation import MOST_ERRORS, faults
from schema.context import Context
from schema.cost import Cost, CostLimiter
from schema.patience import patience_of
from schema.several import together_of
from schema.text import holds_nul, writes_nul

ContextFor = Callable[[Principal | None], Context]

_FAULT = 400
"""Cost units of an operation that is refused, which takes some ten milliseconds to find out."""
_FIELDS = 8
"""That cost a unit, besides what the objects cost: names alone are answered in no time, nearly."""
DEADLINE = 10.0
"""Seconds."""
_MAX_CHARACTERS = 16_000
_MAX_TOKENS = 1_000
_MAX_CACHED_CHARACTERS = 400_000
"""A parsed document takes up to 160 bytes for each character: 64 MB."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Parsed, within the limits, valid, and paid for. `deadline` is in seconds."""

    document: DocumentNode
    node: OperationDefinitionNode
    request: GraphQLRequest
    cost: Cost
    remaining: float
    deadline: float
    payer: Hashable

    @property
    def is_subscription(self) -> bool:
        return self.node.operation is OperationType.SUBSCRIPTION


class Documents:
    """Valid documents by their text, `most` characters of it; the least recently used go."""

    def __init__(self, most: int = _MAX_CACHED_CHARACTERS) -> None:
        self._most = most
        self._held = 0
        self._known: OrderedDict[str, DocumentNode] = OrderedDict()

    def get(self, text: str) -> DocumentNode | None:
        found = self._known.get(text)
        if found is not None:
            self._known.move_to_end(text)
        return found

    def put(self, text: str, document: DocumentNode) -> None:
        """`text` must not be known yet."""
        self._known[text] = document
        self._held += len(text)
        while self._held > self._most:
            oldest, _ = self._known.popitem(last=False)
            self._held -= len(oldest)


class Engine:
    """One schema with its limits. `rate` is in cost units, for each principal."""

    def __init__(
        self,
        schema: strawberry.Schema,
        context_for: ContextFor,
        *,
        rate: Rate,
        deadline: float = DEADLINE,
    ) -> None:
        self._schema = schema
        self._executor = executor_for(schema._schema)
        self._context_for = context_for
        self._limiter = CostLimiter(schema._schema)
        self._buckets = Buckets(rate)
        self._documents = Documents()
        self._shared = Shared()
        self._deadline = deadline

    def prepare(
        self, request: GraphQLRequest, principal: Principal | None, address: str
    ) -> Operation:
        """All that can be refused before a resolver runs. Raises Refused, which is paid for."""
        payer = address if principal is None else principal.api_key_id or principal.user_id
        try:
            # Who owes is not even read: finding fault takes as long as finding none.
            self._buckets.take(payer, 0)
            return self._prepared(request, principal, payer)
        except LimitExceeded as error:
            raise refused(error) from error
        except Refused:
            self._buckets.charge(payer, _FAULT)
            raise

    def _prepared(
        self, request: GraphQLRequest, principal: Principal | None, payer: Hashable
    ) -> Operation:
        """Raises Refused, and LimitExceeded where the budget is used up."""
        if len(request.query) > _MAX_CHARACTERS:
            too_long = f"`query` is longer than {_MAX_CHARACTERS} characters."
            raise refused(RequestTooLarge(too_long))
        document = self._documents.get(request.query)
        known = document is not None
        try:
            document = document or parse(request.query, max_tokens=_MAX_TOKENS)
            node = get_operation_ast(document, request.operation_name)
            if node is None:
                raise Refused([{"message": "Name one of the document's operations."}])
            cost = self._limiter.check(document, request.variables, request.operation_name)
        except GraphQLError as error:
            raise Refused(shown([error])) from error
        if holds_nul(request.variables) or (not known and writes_nul(request.query, document)):
            raise refused(MalformedRequest("A string holds a NUL character, which cannot be kept."))
        if not known:
            self._validate(request.query, document)
        if principal is None and not self._limiter.is_ordinary(cost):
            raise refused(Unauthenticated("Sign in to read the whole schema."))
        # Introspection costs us no more than the dearest ordinary operation: it reads memory.
        units = min(cost.cost, self._limiter.cost)
        # What is asked for is parsed and checked once, which takes as long as answering it often.
        units = max(1, units, cost.fields // _FIELDS if known else cost.fields)
        remaining = self._buckets.take(payer, units)
        deadline = patience_of(self._schema, document, node, self._deadline)
        return Operation(document, node, request, cost, remaining, deadline, payer)

    async def execute(self, operation: Operation, principal: Principal | None) -> Response:
        """The response to a query or a mutation. Raises Refused when a variable does not fit."""
        try:
            async with asyncio.timeout(operation.deadline):
                result = execute(
                    self._schema._schema,
                    operation.document,
                    context_value=self._context_for(principal),
                    variable_values=dict(operation.request.variables),
                    operation_name=operation.request.operation_name,
                    executor_class=self._executor,
                    hide_suggestions=True,
                    max_coercion_errors=MOST_ERRORS,
                    operation_extensions={},
                )
                settled = await _settled(result)
        except TimeoutError:
            return self._respond(operation, None, [timed_out(operation.deadline)])
        except Exception as error:
            return self._respond(operation, None, [internal(error)])
        errors = settled.errors or []
        if errors and settled.data is None and all(error.path is None for error in errors):
            self._buckets.charge(operation.payer, _FAULT)
            raise Refused(shown(errors))
        return self._answer(operation, settled)

    async def events(
        self, operation: Operation, caller: Callable[[], Awaitable[Principal | None]]
    ) -> AsyncGenerator[Sequence[bytes], None]:
        """A subscription's responses as JSON, those together that are there together. `caller` is
        asked anew for each event.

        An event that others with the same rights ask the same of is executed and encoded once.

        Raises Refused when it cannot start, and RightsEnded.
        """
        executor = self._executor.build(
            self._schema._schema,
            operation.document,
            context_value=self._context_for(await caller()),
            raw_variable_values=dict(operation.request.variables),
            operation_name=operation.request.operation_name,
            hide_suggestions=True,
            max_coercion_errors=MOST_ERRORS,
            operation_extensions={},
        )
        if isinstance(executor, list):
            raise Refused(shown(executor))
        source = await _settled(create_source_event_stream(executor))
        if isinstance(source, ExecutionResult):
            raise Refused(shown(source.errors or []))
        request = operation.request
        below = variables_below(operation.document, operation.node, request.variables)
        member = Member(self._shared, (request.query, request.operation_name, below), caller)
        async with aclosing(together_of(source)) as found:
            try:
                async for told in member.told(found, partial(self._tell, executor)):
                    yield told
            except RightsEnded:
                raise
            except Exception as error:
                yield [encode({"errors": [internal(error)], "data": None})]

    def _tell(
        self, executor: Any, payload: Any, principal: Principal | None
    ) -> bytes | Awaitable[bytes]:
        """One event's response; a context for each: loaded rows may have changed since."""
        turn = executor.build_per_event_executor(payload)
        turn.context_value = self._context_for(principal)
        result = execute_subscription_event(turn)
        return encoded(result) if isinstance(result, ExecutionResult) else self._later(result)

    async def _later(self, result: Any) -> bytes:
        try:
            async with asyncio.timeout(self._deadline):
                return encoded(await _settled(result))
        except TimeoutError:
            return encode({"errors": [timed_out(self._deadline)], "data": None})

    def _validate(self, text: str, document: DocumentNode) -> None:
        errors = faults(self._schema._schema, text, document)
        if errors:
            raise Refused(shown(errors))
        self._documents.put(text, document)

    def _answer(self, operation: Operation, result: ExecutionResult) -> Response:
        return self._respond(operation, result.data, shown(result.errors or []))

    def _respond(self, operation: Operation, data: Any, errors: list[Any]) -> Response:
        response: Response = {"errors": errors} if errors else {}
        response["data"] = data
        response["extensions"] = {
            "cost": {
                "cost": operation.cost.cost,
                "limit": self._limiter.cost,
                "nodes": operation.cost.nodes,
                "remaining": max(0, int(operation.remaining)),
                "perSecond": self._buckets.rate.per_second,
            }
        }
        return response


async def _settled(value: Any) -> Any:
    return await value if isawaitable(value) else value
