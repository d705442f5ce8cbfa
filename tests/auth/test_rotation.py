"""Master keys are changed while everything goes on: nothing is lost, and what stopped goes on."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from auth.identity import Authenticator
from auth.rotation import AT_ONCE, SEALINGS, Progress, rotate, still_under_others
from auth.secrets import SecretBox, generate_master_key
from db.models.audit import AuditEntry
from db.models.cache import CachedAnswer
from db.models.credential import Credential
from db.models.provider import Provider
from db.models.webhook import Webhook, WebhookSecret
from db.queries.rotation import sealed_tables
from db.session import Database
from domain.destination import credential_place
from domain.ports import Place, Sealed
from domain.secret import Secret
from tests.auth.installation import add_key, bearer, start_first

OLD, NEW, STRANGE = (generate_master_key() for _ in range(3))
URL = "https://x.example"


async def last_of(database: Database, box: SecretBox) -> Progress:
    seen = [step async for step in rotate(database, box)]
    return seen[-1]


async def add_credentials(database: Database, box: SecretBox, count: int) -> list[uuid.UUID]:
    async with database.write(None) as session:
        provider = Provider(slug=uuid.uuid4().hex, name="x", type="OPENAI", base_url=URL)
        session.add(provider)
        await session.flush()
        ids = [uuid.uuid4() for _ in range(count)]
        for id in ids:
            sealed = box.seal(Secret(f"sk-{id}"), credential_place(id, 1, URL))
            session.add(
                Credential(
                    id=id,
                    provider_id=provider.id,
                    owner_kind="SYSTEM",
                    name="one",
                    ciphertext=sealed.ciphertext,
                    master_key_id=sealed.master_key_id,
                    destination=URL,
                    mask="…",
                    fingerprint=box.fingerprint(Secret(f"sk-{id}")),
                )
            )
    return ids


async def opened(database: Database, box: SecretBox) -> set[str]:
    """Every provider key in clear, and its fingerprint as it should be."""
    async with database.read(None) as session:
        rows = (await session.scalars(select(Credential))).all()
    found = set()
    for row in rows:
        place = credential_place(row.id, row.version, row.destination)
        secret = box.open(Sealed(row.ciphertext, row.master_key_id), place)
        assert row.fingerprint == box.fingerprint(secret)
        found.add(secret.reveal())
    return found


def test_every_table_with_sealed_records_takes_part() -> None:
    assert SEALINGS.keys() == sealed_tables()


async def test_afterwards_the_old_key_is_not_needed(database: Database) -> None:
    old, both, new = SecretBox([OLD]), SecretBox([NEW, OLD]), SecretBox([NEW])
    user_id, _ = await start_first(database)
    _, key = await add_key(database, old, user_id)
    ids = await add_credentials(database, old, AT_ONCE + 7)

    last = await last_of(database, both)

    assert (last.lost, last.left) == (0, 0)
    assert last.done == len(ids) + 1
    assert await opened(database, new) == {f"sk-{id}" for id in ids}
    assert await Authenticator(database, new).principal(bearer(key)) is not None
    async with database.read(None) as session:
        assert set((await still_under_others(session, new)).values()) == {0}
        entry = (await session.scalars(select(AuditEntry))).all()[-1]
    assert (entry.action, entry.object_type) == ("ROTATE", "MASTER_KEY")
    assert entry.after == {
        "master_key": new.master_key_ids[0],
        "records": last.done,
        "lost": 0,
    }


async def test_secrets_of_webhooks_and_answers_that_are_kept_move_too(database: Database) -> None:
    old, both, new = SecretBox([OLD]), SecretBox([NEW, OLD]), SecretBox([NEW])
    digest, secret_id = bytes(range(32)), uuid.uuid4()
    answer = Place("llm_cached_answers", "answer", uuid.UUID(bytes=digest[:16]), 1, "")
    signing = Place("webhook_secrets", "ciphertext", secret_id, 1, "")
    kept, held = old.seal(Secret("said"), answer), old.seal(Secret("whsec"), signing)
    async with database.write(None) as session:
        hook = Webhook(name="x", url="https://x.example", event_types=[])
        session.add(hook)
        await session.flush()
        session.add(
            WebhookSecret(
                id=secret_id,
                webhook_id=hook.id,
                ciphertext=held.ciphertext,
                master_key_id=held.master_key_id,
            )
        )
        session.add(
            CachedAnswer(
                id=digest,
                answer=kept.ciphertext,
                master_key_id=kept.master_key_id,
                expires_at=datetime.now(UTC) + timedelta(hours=1),
            )
        )

    await last_of(database, both)

    async with database.read(None) as session:
        row = (await session.scalars(select(CachedAnswer))).one()
        moved = (await session.scalars(select(WebhookSecret))).one()
    assert new.open(Sealed(row.answer, row.master_key_id), answer).reveal() == "said"
    assert new.open(Sealed(moved.ciphertext, moved.master_key_id), signing).reveal() == "whsec"


async def test_one_that_was_interrupted_goes_on_where_it_stopped(database: Database) -> None:
    old, both, new = SecretBox([OLD]), SecretBox([NEW, OLD]), SecretBox([NEW])
    ids = await add_credentials(database, old, 2 * AT_ONCE)
    async for step in rotate(database, both):
        assert (step.done, step.left) == (AT_ONCE, AT_ONCE)
        break

    last = await last_of(database, both)

    assert last.done == AT_ONCE
    assert await opened(database, new) == {f"sk-{id}" for id in ids}
    assert (await last_of(database, both)).done == 0


async def test_what_no_key_opens_is_told_and_left_as_it_is(database: Database) -> None:
    strange, both = SecretBox([STRANGE]), SecretBox([NEW, OLD])
    await add_credentials(database, strange, 3)
    await add_credentials(database, SecretBox([OLD]), 2)

    last = await last_of(database, both)

    assert (last.done, last.lost) == (2, 3)
    async with database.read(None) as session:
        kept = (await session.scalars(select(Credential.master_key_id))).all()
    assert kept.count(strange.master_key_ids[0]) == 3


async def test_one_that_somebody_changes_meanwhile_is_left_to_the_next_run(
    database: Database,
) -> None:
    old, both = SecretBox([OLD]), SecretBox([NEW, OLD])
    ids = await add_credentials(database, old, 2)
    async with database.write(None) as session:
        await session.execute(
            text("SELECT 1 FROM llm_credentials WHERE id = :id FOR UPDATE"), {"id": ids[0]}
        )
        first = await last_of(database, both)

    assert (first.done, first.left) == (1, 1)
    assert (await last_of(database, both)).done == 1


@pytest.mark.parametrize("keys", [[NEW], [NEW, STRANGE]])
async def test_without_the_old_key_nothing_is_touched(
    database: Database, keys: list[Secret]
) -> None:
    await add_credentials(database, SecretBox([OLD]), 1)

    last = await last_of(database, SecretBox(keys))

    assert (last.done, last.lost) == (0, 1)
