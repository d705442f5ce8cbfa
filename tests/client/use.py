"""A program of an integrator's: uses the generated client; it knows nothing of our code."""

import asyncio
import sys
from datetime import datetime
from decimal import Decimal

from fairlead_client import (
    CreateProviderCreateProviderConflictError,
    CreateProviderCreateProviderCreateProviderPayload,
    CreateProviderCreateProviderInvalidInputError,
    CreateProviderInput,
    CreditWalletCreditWalletCreditWalletPayload,
    CreditWalletInput,
    ErrorCode,
    Fairlead,
    ProviderFilter,
    ProviderType,
)


async def use(url: str, key: str) -> None:
    async with Fairlead(f"{url}/graphql", headers={"authorization": f"Bearer {key}"}) as fairlead:
        wanted = CreateProviderInput(slug="typed", type=ProviderType.OPENAI)
        made = (await fairlead.create_provider(wanted)).create_provider
        assert isinstance(made, CreateProviderCreateProviderCreateProviderPayload), made
        assert made.provider.slug == "typed"

        again = (await fairlead.create_provider(wanted)).create_provider
        assert isinstance(again, CreateProviderCreateProviderConflictError), again
        assert (again.code, again.retryable) == (ErrorCode.CONFLICT, False)

        wrong = CreateProviderInput(slug="A b", type=ProviderType.OPENAI)
        refused = (await fairlead.create_provider(wrong)).create_provider
        assert isinstance(refused, CreateProviderCreateProviderInvalidInputError), refused
        assert refused.field == "slug"

        where = ProviderFilter(search="typed")
        listed = (await fairlead.providers(first=2, where=where)).providers
        assert [node.slug for node in listed.nodes] == ["typed"]
        assert isinstance(listed.nodes[0].created_at, datetime)

        viewer = (await fairlead.viewer()).viewer
        order = CreditWalletInput(
            wallet=viewer.user.id,
            amount=Decimal("12.000000001"),
            reason="typed client",
            idempotencyKey="typed-1",
        )
        paid = (await fairlead.credit_wallet(order)).credit_wallet
        assert isinstance(paid, CreditWalletCreditWalletCreditWalletPayload), paid
        assert paid.wallet.balance == Decimal("12.000000001")


if __name__ == "__main__":
    asyncio.run(use(*sys.argv[1:]))
