"""What a journey needs to be there already, made over GraphQL."""

from typing import Any

from tests.e2e.installation import Installation
from tests.provider.server import FakeProvider

_MUTATION = """mutation ($input: {input}!) {{
  {name}(input: $input) {{ __typename ... on Error {{ message }} {selection} }}
}}"""


async def run(
    installation: Installation,
    name: str,
    selection: str = "",
    /,
    *,
    as_key: str | None = None,
    **input: Any,
) -> Any:
    """One mutation's payload; AssertionError with the server's words."""
    typed = f"{name[0].upper()}{name[1:]}Input"
    document = _MUTATION.format(input=typed, name=name, selection=selection)
    found = (await installation.graphql(document, key=as_key, input=input))[name]
    assert found["__typename"].endswith("Payload"), found
    return found


async def provide(
    installation: Installation, upstream: FakeProvider, name: str, *models: str
) -> str:
    """A provider `name` with a key and priced models; its id."""
    made = await run(
        installation,
        "createProvider",
        "... on CreateProviderPayload { provider { id } }",
        slug=name.lower(),
        name=name,
        type="CUSTOM",
        baseUrl=upstream.base_url,
    )
    id: str = made["provider"]["id"]
    secret = "sk-local-0123456789abcdef"
    await run(installation, "createCredential", provider=id, secret=secret, name="main")
    for each in models:
        price = {"input": "1.00", "output": "4.00"}
        await run(installation, "createModel", provider=id, name=each, price=price)
    return id


async def add_person(installation: Installation, name: str, organization: str | None = None) -> str:
    """A new user's own API key, for an organisation they administer if one is named by its id."""
    made = await run(
        installation, "createUser", "... on CreateUserPayload { user { id } }", name=name
    )
    user, whose = made["user"]["id"], {}
    if organization is not None:
        whose = {"organization": organization}
        await run(installation, "addMember", user=user, role="ADMIN", **whose)
    issued = await run(
        installation,
        "issueApiKey",
        "... on IssueApiKeyPayload { secret }",
        name=f"{name}'s",
        scopes=["INFERENCE", "READ", "MANAGE"],
        user=user,
        **whose,
    )
    secret: str = issued["secret"]
    return secret


async def ask(installation: Installation, model: str, key: str | None = None) -> str:
    """One request through /v1; its answer's text."""
    body = {"model": model, "messages": [{"role": "user", "content": "Say something."}]}
    answer = await installation.post("/v1/chat/completions", body, key=key)
    text: str = answer["choices"][0]["message"]["content"]
    return text
