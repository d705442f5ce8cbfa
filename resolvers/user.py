"""What we do when asked about people."""

from functools import partial

import strawberry

from auth.policies import Policy
from db.queries.user import user_by_id
from domain.idempotency import once
from domain.user import create_user, update_user
from schema.context import Info
from schema.fields import mutation_field, query_field
from schema.idempotency import key_of_input
from schema.inputs import given
from schema.node import key_of, key_or_nobody
from schema.pagination import After, Before, Connection, First, Last, PageArguments
from schema.user import USERS, User, UserFilter, UserOrder, users_asked
from schema.user_change import (
    CreateUserInput,
    CreateUserPayload,
    CreateUserResult,
    UpdateUserInput,
    UpdateUserPayload,
    UpdateUserResult,
)


@strawberry.type
class UserQuery:
    @query_field(
        Policy.ADMIN,
        description="Everybody, by name.",
        graphql_type=Connection[User],
        size=20,
    )
    async def users(
        self,
        info: Info,
        filter: UserFilter | None = None,
        order_by: UserOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[User]:
        arguments = PageArguments(first, after, last, before)
        return await USERS.whole(info.context, users_asked(filter, order_by), arguments)

    @query_field(
        Policy.SELF,
        description="A person, by id: oneself, a member of the organisation one governs, and for"
        " administrators anybody.",
        graphql_type=User | None,
    )
    async def user(self, info: Info, id: strawberry.ID) -> User | None:
        return await info.context.load(User.fetch, key_or_nobody("User", id))


@strawberry.type
class UserMutation:
    @mutation_field(
        Policy.ADMIN, description="Make a person by hand.", graphql_type=CreateUserResult
    )
    async def create_user(self, info: Info, input: CreateUserInput) -> CreateUserPayload:
        values = {"name": input.name, "email": input.email, "role": input.role}
        key = key_of_input(info, input)
        async with info.context.change() as session:
            row, _ = await once(
                session, key, partial(create_user, session, values), partial(user_by_id, session)
            )
        return CreateUserPayload(user=User.of(row))

    @mutation_field(
        Policy.ADMIN,
        description="Change a person. Disabling one ends their sign-in and their keys within"
        " seconds.",
        graphql_type=UpdateUserResult,
    )
    async def update_user(self, info: Info, input: UpdateUserInput) -> UpdateUserPayload:
        id, patch = key_of("User", input.id), given(input, "name", "email", "role", "enabled")
        async with info.context.change() as session:
            row = await update_user(session, id, input.expected_version, patch)
        return UpdateUserPayload(user=User.of(row))
