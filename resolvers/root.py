"""The schema: every noun's fields under one Query and one Mutation, each with its policy."""

from collections.abc import Callable, Sequence

import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from resolvers.apikey import ApiKeyMutation, ApiKeyQuery
from resolvers.audit import AuditLogQuery
from resolvers.byok import ByokMutation
from resolvers.completion import CompletionMutation, CompletionSubscription
from resolvers.configuration import ConfigurationQuery, ConfigurationSubscription
from resolvers.credential import CredentialMutation
from resolvers.credits import CreditsMutation, CreditsQuery
from resolvers.discovery import DiscoveryMutation
from resolvers.errors import HANDLERS
from resolvers.explain import ExplainQuery
from resolvers.health import HealthSubscription
from resolvers.limits import LimitsMutation
from resolvers.membership import MembershipMutation
from resolvers.model import ModelMutation, ModelQuery
from resolvers.node import NodeQuery
from resolvers.organization import OrganizationMutation, OrganizationQuery
from resolvers.provider import ProviderMutation, ProviderQuery
from resolvers.retention import RetentionMutation, RetentionQuery
from resolvers.rule import RuleMutation, RuleQuery
from resolvers.settings import SettingsMutation
from resolvers.usage import UsageQuery, UsageSubscription
from resolvers.user import UserMutation, UserQuery
from resolvers.viewer import ViewerQuery
from resolvers.wallet import WalletMutation, WalletQuery, WalletSubscription
from resolvers.webhook import WebhookMutation, WebhookQuery
from schema.policies import check_policies
from schema.scalars import SCALARS


@strawberry.type(description="What can be read.")
class Query(
    NodeQuery,
    ViewerQuery,
    UserQuery,
    OrganizationQuery,
    ProviderQuery,
    ModelQuery,
    RuleQuery,
    ApiKeyQuery,
    UsageQuery,
    ExplainQuery,
    ConfigurationQuery,
    AuditLogQuery,
    WebhookQuery,
    CreditsQuery,
    RetentionQuery,
    WalletQuery,
):
    pass


@strawberry.type(description="What can be done; each in one transaction.")
class Mutation(
    ProviderMutation,
    CredentialMutation,
    ByokMutation,
    ModelMutation,
    DiscoveryMutation,
    SettingsMutation,
    UserMutation,
    OrganizationMutation,
    MembershipMutation,
    RuleMutation,
    ApiKeyMutation,
    WebhookMutation,
    CreditsMutation,
    RetentionMutation,
    WalletMutation,
    LimitsMutation,
    CompletionMutation,
):
    pass


@strawberry.type(description="What can be followed while it happens.")
class Subscription(
    UsageSubscription,
    CompletionSubscription,
    ConfigurationSubscription,
    HealthSubscription,
    WalletSubscription,
):
    pass


def build_schema(
    extensions: Sequence[type[SchemaExtension] | Callable[[], SchemaExtension]] = (),
) -> strawberry.Schema:
    """The schema with its extensions. Raises MissingPolicyError for a field nobody guards."""
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        extensions=list(extensions),
        exception_handlers=list(HANDLERS),
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
    )
    check_policies(schema)
    return schema
