"""Leases against a model: granted from, closed, swept and settled in whatever order."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, rule, run_state_machine_as_test
from uuid_utils.compat import uuid7

from db.queries.hold import release
from db.queries.lease import SHARE, Closing, Part, Wish, renew, take_back
from tests.db.money import PROCESS, asks, pay
from tests.db.test_ledger_machine import AMOUNTS, STEPS, Ledger, bound


@dataclass
class Lent:
    """What a lease should be: `row` is held by it, `unspent` may its process still grant, and
    `closing` was unspent when it closed it."""

    id: uuid.UUID
    wallet_id: uuid.UUID
    row: int
    unspent: int
    closing: int | None = None
    closed: bool = False

    def less(self, amount: int) -> int:
        """What is free again when so much is taken from it."""
        taken = min(amount, self.row)
        self.row -= taken
        return taken


class Leased(Ledger):
    """What may happen to leases too."""

    leases = Bundle("leases")
    parts = Bundle("parts")

    def __init__(self) -> None:
        super().__init__()
        self.lent: dict[uuid.UUID, Lent] = {}

    @rule(target=leases, who=st.integers(0, 1), amount=AMOUNTS)
    def lend(self, who: int, amount: int) -> Any:
        id, model, lease = self.ids[who], self.models[self.ids[who]], uuid7()
        found = self.run(self.change(renew, PROCESS, [Wish(lease, id, amount, 1)], []))
        share = min(amount, max(model.available, 0) // SHARE)
        assert found == ({lease: share} if share and not model.frozen else {})
        if not found:
            return multiple()
        model.held += share
        self.lent[lease] = Lent(lease, id, share, share)
        return lease

    @rule(target=parts, lease=leases, share=st.integers(1, 100))
    def grant_of(self, lease: uuid.UUID, share: int) -> Any:
        """In memory."""
        lent = self.lent[lease]
        amount = max(lent.unspent * share // 100, min(lent.unspent, 1))
        if lent.closing is not None or not amount:
            return multiple()
        lent.unspent -= amount
        return Part(uuid7(), lease, amount)

    @rule(part=parts, spend=st.integers(0, 60))
    def settle_part(self, part: Part, spend: int) -> None:
        """Again and again; after the lease was closed or swept too."""
        lent = self.lent[part.lease_id]
        request = asks(lent.wallet_id, 0, request_id=part.request_id)
        self.run(pay(self.database, request, spend, lease_id=part.lease_id, leased=part.amount))
        model = self.models[lent.wallet_id]
        if part.request_id not in self.settled:
            self.settled[part.request_id] = spend
            model.held -= lent.less(part.amount)
            model.posted -= spend
            model.frozen = model.frozen or model.available < 0

    @rule(part=parts)
    def take_back(self, part: Part) -> None:
        self.run(self.change(take_back, [part]))
        lent = self.lent[part.lease_id]
        if part.request_id not in self.settled:
            self.settled[part.request_id] = 0
            self.models[lent.wallet_id].held -= lent.less(part.amount)

    @rule(lease=leases)
    def close(self, lease: uuid.UUID) -> None:
        lent = self.lent[lease]
        if lent.closing is None:
            lent.closing, lent.unspent = lent.unspent, 0
        closing = Closing(lease, lent.wallet_id, lent.closing)
        self.run(self.change(renew, PROCESS, [], [closing]))
        if not lent.closed:
            lent.closed = True
            self.models[lent.wallet_id].held -= lent.less(lent.closing)

    @rule(lease=leases)
    def sweep(self, lease: uuid.UUID) -> None:
        """Its process is gone, and grants nothing any more."""
        lent = self.lent[lease]
        count = self.run(self.change(release, [lease]))
        assert count == (lent.row > 0)
        self.models[lent.wallet_id].held -= lent.less(lent.row)
        lent.closing = lent.closing or 0


@pytest.fixture
def machine(database_url: str) -> Iterator[type[Ledger]]:
    yield from bound(Leased, database_url)


def test_leases_are_what_their_model_says(machine: type[Ledger]) -> None:
    run_state_machine_as_test(machine, settings=STEPS)
