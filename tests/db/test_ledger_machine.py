"""The ledger against a model: whatever happens in whatever order, nothing comes out of nothing."""

import asyncio
import uuid
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from uuid_utils.compat import uuid7

from db.models.user import User
from db.queries.hold import HoldRequest, release
from db.session import Database, create_engine
from domain.errors import FairleadError, InsufficientCredits, InvalidInput
from domain.idempotency import keyed
from domain.wallet import (
    Order,
    TransferKind,
    adjust_wallet,
    credit_wallet,
    refund_transfer,
    set_credit_limit,
    set_wallet_frozen,
)
from tests.db.money import asks, check, grant, pay, wallet

T = TypeVar("T")
AMOUNTS = st.integers(1, 1_000)
ADMIN = uuid.UUID(int=3)
STEPS = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Model:
    """What a wallet should be."""

    posted: int = 0
    held: int = 0
    limit: int = 0
    frozen: bool = False

    @property
    def available(self) -> int:
        return self.posted - self.held + self.limit


class Ledger(RuleBasedStateMachine):
    """Two people, everything that can happen to their money."""

    database: Database
    runner: asyncio.Runner
    holds = Bundle("holds")
    payments = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.models: dict[uuid.UUID, Model] = {}
        self.left: dict[uuid.UUID, int] = {}
        self.settled: dict[uuid.UUID, int] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def people(self) -> None:
        self.run(self._people())

    async def _people(self) -> None:
        truncate = "TRUNCATE users, wallets, transfers, entries, holds, settled_requests CASCADE"
        made = [uuid7(), uuid7()]
        async with self.database.write(None) as session:
            await session.execute(text("SET LOCAL session_replication_role = replica"))
            await session.execute(text(truncate))
            for id in made:
                session.add(User(id=id, issuer="x", subject=str(id), name="x", role="USER"))
        self.models = {id: Model() for id in made}
        self.ids = made

    async def change(self, work: Any, *arguments: Any) -> Any:
        async with self.database.write(None) as session:
            return await work(session, *arguments)

    def order(self) -> Order:
        return Order(keyed(ADMIN, str(uuid7()), b"x"), "because")

    @rule(target=payments, who=st.integers(0, 1), amount=AMOUNTS)
    def top_up(self, who: int, amount: int) -> Any:
        id = self.ids[who]
        paid = self.run(self.change(credit_wallet, self.order(), id, amount, TransferKind.TOP_UP))
        self.models[id].posted += amount
        self.left[paid] = amount
        return id, paid

    @rule(who=st.integers(0, 1), amount=st.integers(-1_500, 500).filter(bool))
    def adjust(self, who: int, amount: int) -> None:
        id, model = self.ids[who], self.models[self.ids[who]]
        fits = amount > 0 or -amount <= model.available
        try:
            self.run(self.change(adjust_wallet, self.order(), id, amount))
            assert fits
            model.posted += amount
        except InsufficientCredits:
            assert not fits

    @rule(payment=payments, amount=AMOUNTS)
    def refund(self, payment: tuple[uuid.UUID, uuid.UUID], amount: int) -> None:
        id, paid = payment
        model, left = self.models[id], self.left[paid]
        try:
            self.run(self.change(refund_transfer, self.order(), paid, amount))
        except InsufficientCredits:
            assert amount > model.available
        except (InvalidInput, FairleadError):
            assert amount > left
        else:
            assert amount <= min(left, model.available)
            self.left[paid] -= amount
            model.posted -= amount

    @rule(who=st.integers(0, 1), limit=st.integers(0, 500))
    def limit(self, who: int, limit: int) -> None:
        id, model = self.ids[who], self.models[self.ids[who]]
        fits = model.frozen or limit == model.limit or model.posted - model.held >= -limit
        try:
            self.run(self.change(set_credit_limit, id, limit, None))
            assert fits
            model.limit = limit
        except FairleadError:
            assert not fits

    @rule(who=st.integers(0, 1), freeze=st.booleans())
    def freeze(self, who: int, freeze: bool) -> None:
        id, model = self.ids[who], self.models[self.ids[who]]
        fits = freeze or not model.frozen or model.available >= 0
        try:
            self.run(self.change(set_wallet_frozen, id, "x" if freeze else None, None))
            assert fits
            model.frozen = freeze
        except FairleadError:
            assert not fits

    @rule(target=holds, wanted=st.lists(st.tuples(st.integers(0, 1), AMOUNTS), min_size=1))
    def hold(self, wanted: list[tuple[int, int]]) -> Any:
        requests = [asks(self.ids[who], amount) for who, amount in wanted]
        found = self.run(grant(self.database, *requests))
        held = []
        for request, granted in zip(requests, found, strict=True):
            model = self.models[request.wallet_id or ADMIN]
            fits = not model.frozen and request.amount <= model.available
            assert (granted.amount is not None) == fits
            if fits:
                model.held += request.amount
                held.append(request)
        return multiple(*held)

    @rule(request=holds, spend=st.integers(0, 1_500))
    def settle(self, request: HoldRequest, spend: int) -> None:
        """Whatever was held; again and again; after it was given back too."""
        self.run(pay(self.database, request, spend))
        model = self.models[request.wallet_id or ADMIN]
        first = request.request_id not in self.settled
        if self.settled.setdefault(request.request_id, spend) != -1 and first:
            model.held -= request.amount
        if first:
            model.posted -= spend
            model.frozen = model.frozen or (spend > 0 and model.available < 0)

    @rule(request=holds)
    def give_back(self, request: HoldRequest) -> None:
        count = self.run(self.change(release, [request.request_id]))
        open_ = request.request_id not in self.settled
        assert count == open_
        if open_:
            self.models[request.wallet_id or ADMIN].held -= request.amount
            self.settled[request.request_id] = 0
            # Nobody settles what was given back because it was not sent.
            self.run(pay(self.database, request, 0))

    @invariant()
    def adds_up(self) -> None:
        self.run(self._adds_up())

    async def _adds_up(self) -> None:
        await check(self.database)
        for id, model in self.models.items():
            if model != Model():
                assert await wallet(self.database, id) == (model.posted, model.held, model.frozen)


def bound(kind: type[Ledger], database_url: str) -> Iterator[type[Ledger]]:
    """That machine, on the tests' database."""
    with asyncio.Runner() as runner:

        async def engine() -> Database:
            return Database(create_engine(database_url))

        database = runner.run(engine())
        yield type("Bound", (kind,), {"database": database, "runner": runner})
        runner.run(database.engine.dispose())


@pytest.fixture
def machine(database_url: str) -> Iterator[type[Ledger]]:
    yield from bound(Ledger, database_url)


def test_the_ledger_is_what_its_model_says(machine: type[Ledger]) -> None:
    run_state_machine_as_test(machine, settings=STEPS)
