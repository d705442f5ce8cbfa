"""Of a crowd only the top is looked at closely, with everyone who could come before it."""

from domain.health import Live
from domain.request import RequestFacts
from domain.routing import plan
from domain.snapshot import Deployment, Price, Snapshot
from tests.domain.routing.catalogue import deployment, identity, price, request, snapshot


def crowd(*others: Deployment, canonical: str | None = None) -> Snapshot:
    """Thirty models alike but for a price that rises a little, each dearer than the last."""
    return snapshot(
        *(
            deployment(
                f"{'a' if canonical is None else f'p{n}'}/m{n}", rising(n), canonical=canonical
            )
            for n in range(30)
        ),
        *others,
    )


def rising(n: int) -> Price:
    return price(1 + n / 40, 3 + n / 40)


def first(house: Snapshot, facts: RequestFacts, live: Live) -> str:
    found = plan(house, facts, live)
    assert found.decision.order == plan(house, facts, live, keep=100).decision.order
    return found.candidates[0].deployment.reference


def test_the_second_provider_is_found_behind_a_crowd_of_one() -> None:
    house = crowd(deployment("b/poor", price(9.0, 9.0)), deployment("b/poorer", price(9.5, 9.5)))
    found = plan(house, request("auto"), Live())
    tried = [one.deployment.reference for one in found.candidates]
    assert tried == ["a/m0", "b/poor", "a/m1"]


def test_an_incumbent_far_from_the_top_stays_while_it_is_close() -> None:
    live = Live(incumbents={"auto|BALANCED|": identity("a/m20")})
    assert first(crowd(), request("auto"), live) == "a/m20"


def test_a_session_may_stay_with_any_deployment_that_is_close() -> None:
    house = crowd(canonical="m")
    served = {first(house, request("auto", session=f"{n}"), Live()) for n in range(300)}
    assert served == {f"p{n}/m{n}" for n in range(30)}
