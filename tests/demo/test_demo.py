"""The demonstration has the shape of real traffic, marks what it makes, and spares real data."""

import random
import uuid
from datetime import UTC, datetime

from db.models.provider import Provider
from db.queries.settlement import Settlements
from db.session import Database
from domain.health import Live
from domain.snapshot import EMPTY
from domain.usage import UsageStatus
from tests.demo.past import Asker, Past
from tests.demo.profile import Profile
from tests.demo.scene import PEOPLE, SLUG, UPSTREAMS
from tests.demo.setup import has_usage, is_demo
from tests.provider.behaviour import parse
from tests.usage import usage_row

PROFILE = Profile.load()


def test_minutes_and_hours_average_to_one() -> None:
    monday = [PROFILE.busyness(datetime(2026, 11, 23, hour, tzinfo=UTC)) for hour in range(24)]

    assert len(PROFILE.minutes) == 60
    assert round(sum(PROFILE.minutes) / 60, 9) == round(sum(monday) / 24, 9) == 1.0


def test_code_asks_with_more_and_answers_with_less_than_conversation() -> None:
    chance = random.Random(1)
    code = [PROFILE.tokens("code", chance) for _ in range(2_000)]
    talk = [PROFILE.tokens("conversation", chance) for _ in range(2_000)]

    def mean(pairs: list[tuple[int, int]], place: int) -> float:
        return sum(pair[place] for pair in pairs) / len(pairs)

    # The trace's own means: 2,048 and 28 tokens for code, 1,155 and 211 for conversation.
    assert 1_900 < mean(code, 0) < 2_200
    assert 20 < mean(code, 1) < 36
    assert 1_050 < mean(talk, 0) < 1_260
    assert 190 < mean(talk, 1) < 235


def test_everything_made_up_says_so_and_can_be_served() -> None:
    assert all(each.slug.startswith(SLUG) and "(demo)" in each.name for each in UPSTREAMS)
    assert all("(demo)" in person.name for person in PEOPLE)
    assert all(parse(model.behaves) for each in UPSTREAMS for model in each.models)


def test_the_past_is_in_order_and_ends_now() -> None:
    asker = Asker(uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), 1)
    past = Past(EMPTY, Live(), [asker], {}, PROFILE, random.Random(2))
    made = list(past.requests(days=3, per_day=100))
    starts = [each.started_at for each in made]

    assert starts == sorted(starts)
    assert starts[-1] <= datetime.now(UTC).timestamp()
    assert 100 < len(made) < 400
    assert {each.status for each in made} == {UsageStatus.ERROR}, "no model serves in an empty one"


async def test_real_traffic_is_told_from_a_demonstration(database: Database) -> None:
    async with database.read(None) as session:
        assert (await is_demo(session), await has_usage(session)) == (False, False)
    await Settlements(database).settle([usage_row()])
    async with database.read(None) as session:
        assert (await is_demo(session), await has_usage(session)) == (False, True)
    slug = UPSTREAMS[0].slug
    async with database.write(None) as session:
        session.add(Provider(slug=slug, name="x", type="CUSTOM", base_url="http://x"))
    async with database.read(None) as session:
        assert await is_demo(session)
