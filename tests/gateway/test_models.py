"""GET /v1/models: the names a caller may use, and no others."""

import openai
import pytest

from domain.principal import Principal, Role, Scope
from domain.ruleset import Alias
from domain.snapshot import ProviderType
from tests.gateway.plane import Plane, identity

AUTOS = ["auto", "auto:eco", "auto:balanced", "auto:precision"]


async def _names(plane: Plane) -> list[str]:
    return [model.id async for model in await plane.client.models.list()]


async def test_lists_auto_aliases_and_references(plane: Plane) -> None:
    one = plane.provider("one", "https://one.test/v1")
    plane.model(one, "gpt-4o")
    plane.model(one, "a/b")
    plane.rules(aliases={"smart": Alias(("one/gpt-4o",))})

    assert await _names(plane) == [*AUTOS, "smart", "one/a/b", "one/gpt-4o"]


async def test_a_change_of_the_configuration_shows_at_once(plane: Plane) -> None:
    one = plane.provider("one", "https://one.test/v1")
    plane.model(one, "first")
    before = await _names(plane)

    plane.model(one, "second")

    assert await _names(plane) == [*before, "one/second"]


async def test_a_model_whose_provider_has_no_key_is_not_listed(plane: Plane) -> None:
    plane.model(plane.provider("one", "https://one.test", type=ProviderType.OPENAI), "keyless")

    assert await _names(plane) == AUTOS


async def test_a_key_of_few_models_sees_only_those(plane: Plane) -> None:
    one = plane.provider("one", "https://one.test/v1")
    plane.model(one, "mine")
    plane.model(one, "other")
    plane.rules(aliases={"smart": Alias(("one/other",)), "granted": Alias(("one/other",))})
    everything = await _names(plane)
    plane.callers.caller = Principal(
        identity("user"),
        Role.USER,
        frozenset({Scope.INFERENCE}),
        allowed_models=frozenset({"mine", "granted"}),
    )

    assert "one/other" in everything
    assert await _names(plane) == [*AUTOS, "granted", "one/mine"]
    with pytest.raises(openai.NotFoundError):
        await plane.client.models.retrieve("one/other")


@pytest.mark.parametrize("name", ["one/gpt-4o", "gpt-4o", "smart", "auto"])
async def test_one_model_is_found_by_every_name_it_goes_by(plane: Plane, name: str) -> None:
    plane.model(plane.provider("one", "https://one.test/v1"), "gpt-4o")
    plane.rules(aliases={"smart": Alias(("one/gpt-4o",))})

    found = await plane.client.models.retrieve(name)

    assert (found.id, found.object) == (name, "model")
    assert found.owned_by == ("one" if "gpt" in name else "fairlead")
