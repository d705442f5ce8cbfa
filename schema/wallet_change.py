"""What administrators may say to move credits and to govern wallets."""

from enum import StrEnum
from typing import Annotated, Any

import strawberry

from auth.policies import Policy
from schema.errors import (
    ConflictError,
    InsufficientCreditsError,
    InvalidInputError,
    NotFoundError,
)
from schema.fields import object_type, result
from schema.scalars import USD
from schema.wallet import Wallet, WalletEntry


@strawberry.enum(description="How credits come in.")
class CreditKind(StrEnum):
    TOP_UP = "TOP_UP"
    GRANT = "GRANT"


def _owner() -> Any:
    """The input field that names a wallet."""
    return strawberry.field(
        description="The id of the wallet, or of the person or organisation whose it is."
    )


def _key() -> Any:
    """The input field that makes a movement happen once."""
    return strawberry.field(
        description="At most 255 characters, the caller's own. The same key with the same input"
        " moves nothing again, however late; with another input it is a ConflictError."
    )


def _reason() -> Any:
    return strawberry.field(description="For the ledger and the audit log.")


@strawberry.input(description="Credits to pay in.")
class CreditWalletInput:
    wallet: strawberry.ID = _owner()
    amount: USD = strawberry.field(description="More than 0.")
    reason: str = _reason()
    idempotency_key: str = _key()
    kind: CreditKind = CreditKind.TOP_UP


@strawberry.input(description="A correction of a balance.")
class AdjustWalletInput:
    wallet: strawberry.ID = _owner()
    amount: USD = strawberry.field(description="Above 0 it is added, below 0 taken.")
    reason: str = _reason()
    idempotency_key: str = _key()


@strawberry.input(description="A charge, top-up or grant to reverse, in part or whole.")
class RefundTransferInput:
    entry: strawberry.ID = strawberry.field(description="The movement, from a wallet's entries.")
    reason: str = _reason()
    idempotency_key: str = _key()
    amount: USD | None = strawberry.field(
        default=None, description="By default all of it that has not been refunded yet."
    )


@strawberry.input(description="How far a balance may fall below 0.")
class SetCreditLimitInput:
    wallet: strawberry.ID = _owner()
    credit_limit: USD
    expected_version: int | None = strawberry.field(
        default=None, description="The `version` you read; a ConflictError when it has moved on."
    )


@strawberry.input(description="A wallet to put out of use.")
class FreezeWalletInput:
    wallet: strawberry.ID = _owner()
    reason: str = _reason()
    expected_version: int | None = strawberry.field(
        default=None, description="The `version` you read; a ConflictError when it has moved on."
    )


@strawberry.input(description="A frozen wallet to set free.")
class UnfreezeWalletInput:
    wallet: strawberry.ID = _owner()
    expected_version: int | None = strawberry.field(
        default=None, description="The `version` you read; a ConflictError when it has moved on."
    )


@object_type(Policy.SELF, description="The movement, and the wallet as it is now.")
class CreditWalletPayload:
    entry: WalletEntry
    wallet: Wallet


@object_type(Policy.SELF, description="The movement, and the wallet as it is now.")
class AdjustWalletPayload:
    entry: WalletEntry
    wallet: Wallet


@object_type(Policy.SELF, description="The movement back, and the wallet as it is now.")
class RefundTransferPayload:
    entry: WalletEntry
    wallet: Wallet


@object_type(Policy.SELF, description="The wallet as it is now.")
class SetCreditLimitPayload:
    wallet: Wallet


@object_type(Policy.SELF, description="The wallet as it is now.")
class FreezeWalletPayload:
    wallet: Wallet


@object_type(Policy.SELF, description="The wallet as it is now.")
class UnfreezeWalletPayload:
    wallet: Wallet


CreditWalletResult = Annotated[
    CreditWalletPayload | InvalidInputError | NotFoundError | ConflictError,
    result("CreditWalletResult"),
]
AdjustWalletResult = Annotated[
    AdjustWalletPayload
    | InvalidInputError
    | NotFoundError
    | ConflictError
    | InsufficientCreditsError,
    result("AdjustWalletResult"),
]
RefundTransferResult = Annotated[
    RefundTransferPayload
    | InvalidInputError
    | NotFoundError
    | ConflictError
    | InsufficientCreditsError,
    result("RefundTransferResult"),
]
SetCreditLimitResult = Annotated[
    SetCreditLimitPayload | InvalidInputError | NotFoundError | ConflictError,
    result("SetCreditLimitResult"),
]
FreezeWalletResult = Annotated[
    FreezeWalletPayload | InvalidInputError | NotFoundError | ConflictError,
    result("FreezeWalletResult"),
]
UnfreezeWalletResult = Annotated[
    UnfreezeWalletPayload | NotFoundError | ConflictError,
    result("UnfreezeWalletResult"),
]
