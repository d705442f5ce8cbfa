"""What we do when asked about wallets, and when administrators move credits."""

import time
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from auth.policies import Policy
from domain.errors import NotFound
from domain.idempotency import keyed
from domain.principal import Principal
from domain.reach import reach_of
from domain.wallet import (
    Order,
    TransferKind,
    adjust_wallet,
    credit_wallet,
    refund_transfer,
    set_credit_limit,
    set_wallet_frozen,
)
from schema.context import Info
from schema.fields import mutation_field, query_field, subscription_field
from schema.idempotency import operation_of
from schema.node import NOBODY, key_of, parse_id
from schema.wallet import Wallet, WalletEntry
from schema.wallet_change import (
    AdjustWalletInput,
    AdjustWalletPayload,
    AdjustWalletResult,
    CreditWalletInput,
    CreditWalletPayload,
    CreditWalletResult,
    FreezeWalletInput,
    FreezeWalletPayload,
    FreezeWalletResult,
    RefundTransferInput,
    RefundTransferPayload,
    RefundTransferResult,
    SetCreditLimitInput,
    SetCreditLimitPayload,
    SetCreditLimitResult,
    UnfreezeWalletInput,
    UnfreezeWalletPayload,
    UnfreezeWalletResult,
)

_OWNERS = ("Wallet", "User", "Organization")


def owner_of(id: str) -> uuid.UUID:
    """The key of a wallet, which is its owner's; NOBODY for any other id."""
    parsed = parse_id(id)
    return NOBODY if parsed is None or parsed[0] not in _OWNERS else parsed[1]


def _order(info: Info, input: CreditWalletInput | AdjustWalletInput | RefundTransferInput) -> Order:
    caller = info.context.caller
    return Order(
        keyed(caller.user_id, input.idempotency_key, operation_of(info, input)), input.reason
    )


async def _moved(info: Info, transfer_id: uuid.UUID) -> tuple[WalletEntry, Wallet]:
    entry = await info.context.load(WalletEntry.fetch, transfer_id)
    if entry is None:
        raise NotFound("There is no such transfer.")
    return entry, await _wallet(info, entry.row.wallet_id)


async def _wallet(info: Info, owner_id: uuid.UUID) -> Wallet:
    wallet = await info.context.load(Wallet.fetch, owner_id)
    if wallet is None:
        raise NotFound("There is no such wallet.")
    return wallet


@strawberry.type
class WalletQuery:
    @query_field(
        Policy.SELF,
        description="A wallet by its own id or its owner's: one's own, of the organisation one"
        " governs, or for administrators anybody's.",
        graphql_type=Wallet | None,
    )
    async def wallet(self, info: Info, id: strawberry.ID) -> Wallet | None:
        return await info.context.load(Wallet.fetch, owner_of(id))


@strawberry.type
class WalletSubscription:
    @subscription_field(
        Policy.SELF,
        description="A wallet as it is, then whenever it is another, on whatever replica: the"
        " newest state, at most twice a second. Without `wallet` the caller's own.",
        graphql_type=Wallet,
    )
    async def balance(
        self,
        info: Info,
        wallet: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="The id of the wallet, or of its owner."),
        ] = None,
    ) -> AsyncIterator[Wallet]:
        context = info.context
        owner = context.caller.user_id if wallet is None else owner_of(wallet)
        await _wallet(info, owner)
        async with context.balances.follow(owner) as states:
            async for row in states:
                if not _may_follow(context.caller, owner):
                    return
                context.forget()
                yield Wallet.of(row)


def _may_follow(caller: Principal, owner: uuid.UUID) -> bool:
    reach = reach_of(caller)
    ended = caller.expires_at is not None and caller.expires_at <= time.time()
    return not ended and (reach.everybody or owner in (reach.user, reach.organization))


@strawberry.type
class WalletMutation:
    @mutation_field(
        Policy.ADMIN, description="Pay credits into a wallet.", graphql_type=CreditWalletResult
    )
    async def credit_wallet(self, info: Info, input: CreditWalletInput) -> CreditWalletPayload:
        order, owner = _order(info, input), owner_of(input.wallet)
        kind = TransferKind(input.kind)
        async with info.context.change() as session:
            id = await credit_wallet(session, order, owner, input.amount, kind)
        entry, wallet = await _moved(info, id)
        return CreditWalletPayload(entry=entry, wallet=wallet)

    @mutation_field(
        Policy.ADMIN,
        description="Correct a balance, upwards or downwards.",
        graphql_type=AdjustWalletResult,
    )
    async def adjust_wallet(self, info: Info, input: AdjustWalletInput) -> AdjustWalletPayload:
        order, owner = _order(info, input), owner_of(input.wallet)
        async with info.context.change() as session:
            id = await adjust_wallet(session, order, owner, input.amount)
        entry, wallet = await _moved(info, id)
        return AdjustWalletPayload(entry=entry, wallet=wallet)

    @mutation_field(
        Policy.ADMIN,
        description="Reverse a charge, a top-up or a grant: together never more than it was.",
        graphql_type=RefundTransferResult,
    )
    async def refund_transfer(
        self, info: Info, input: RefundTransferInput
    ) -> RefundTransferPayload:
        order, refunded = _order(info, input), key_of("WalletEntry", input.entry)
        async with info.context.change() as session:
            id = await refund_transfer(session, order, refunded, input.amount)
        entry, wallet = await _moved(info, id)
        return RefundTransferPayload(entry=entry, wallet=wallet)

    @mutation_field(
        Policy.ADMIN,
        description="Let a balance fall below 0, so far and no further.",
        graphql_type=SetCreditLimitResult,
    )
    async def set_credit_limit(
        self, info: Info, input: SetCreditLimitInput
    ) -> SetCreditLimitPayload:
        owner = owner_of(input.wallet)
        async with info.context.change() as session:
            await set_credit_limit(session, owner, input.credit_limit, input.expected_version)
        return SetCreditLimitPayload(wallet=await _wallet(info, owner))

    @mutation_field(
        Policy.ADMIN,
        description="Put a wallet out of use: no new request may hold any of it.",
        graphql_type=FreezeWalletResult,
    )
    async def freeze_wallet(self, info: Info, input: FreezeWalletInput) -> FreezeWalletPayload:
        owner = owner_of(input.wallet)
        async with info.context.change() as session:
            await set_wallet_frozen(session, owner, input.reason, input.expected_version)
        return FreezeWalletPayload(wallet=await _wallet(info, owner))

    @mutation_field(
        Policy.ADMIN,
        description="Set a frozen wallet free, once what it owes is paid.",
        graphql_type=UnfreezeWalletResult,
    )
    async def unfreeze_wallet(
        self, info: Info, input: UnfreezeWalletInput
    ) -> UnfreezeWalletPayload:
        owner = owner_of(input.wallet)
        async with info.context.change() as session:
            await set_wallet_frozen(session, owner, None, input.expected_version)
        return UnfreezeWalletPayload(wallet=await _wallet(info, owner))
