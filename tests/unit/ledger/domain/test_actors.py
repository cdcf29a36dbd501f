"""Keys and roles: who registers, revokes and grants, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime

from ledger.signing import PrivateKey, encode_base64, keyid
from tests.support.book import Book
from tests.support.organisation import Organisation, key_of


def registration(made: Organisation, owner: str, key: str, actor: str, *also: str) -> bytes:
    """The registration of a key of `owner` by `actor`, signed by `also`."""
    body = {"suite": "ed25519", "public_key": encode_base64(key_of(key).public_key)}
    return made.statement("key.registered", f"actor/{owner}", actor, body, also=also)


def revocation(made: Organisation, owner: str, actor: str, cause: str = "lost") -> bytes:
    body = {"keyid": keyid(key_of(owner).public_key), "cause": cause}
    return made.statement("key.revoked", f"actor/{owner}", actor, body)


def role(made: Organisation, kind: str, name: str, role: str, *by: str, **more: str) -> bytes:
    body = {"role": role, "unit": "root"} | more
    return made.statement(f"role.{kind}", f"actor/{name}", by[0], body, also=by[1:])


# -- keys ------------------------------------------------------------------------------------------


def test_a_new_key_must_sign_its_own_registration(book: Book, made: Organisation) -> None:
    assert book.refusal(registration(made, "new", "new", "reg-1")) == "key-possession"
    assert book.refusal(registration(made, "new", "new", "reg-1", "new")) is None


def test_the_owner_rotates_with_an_older_key(book: Book, made: Organisation) -> None:
    body = {"suite": "ed25519", "public_key": encode_base64(key_of("second").public_key)}
    alone = made.statement("key.registered", "actor/rec-1", "second", body)
    assert book.refusal(alone) == "actor-signs"
    assert book.refusal(registration(made, "rec-1", "second", "rec-1", "second")) is None


def test_a_key_is_registered_once_for_one_actor(book: Book, made: Organisation) -> None:
    assert book.refusal(registration(made, "rec-2", "rec-1", "reg-1", "rec-1")) == "key-once"
    assert book.refusal(registration(made, "new", "reg-2", "reg-1", "reg-2")) == "key-once"
    book.take(revocation(made, "rec-1", "reg-1"))
    assert book.refusal(registration(made, "rec-1", "rec-1", "reg-1", "rec-1")) == "key-once"


def test_who_is_no_registrar_registers_no_key_of_others(book: Book, made: Organisation) -> None:
    assert book.refusal(registration(made, "new", "new", "rec-1", "new")) == "needs-registrar"


def test_a_key_of_small_order_is_refused(book: Book, made: Organisation) -> None:
    zero = PrivateKey(bytes(32), bytes([1]) + bytes(31), key_of("x").seed + key_of("x").public_key)
    assert book.refusal(made.key("new", zero)) == "key-sound"


def test_a_revoked_key_signs_nothing_more(book: Book, made: Organisation) -> None:
    book.take(revocation(made, "rec-1", "rec-1", "rotated"))
    assert book.refusal(made.award("m-2")) == "key-revoked"
    assert book.refusal(revocation(made, "rec-1", "reg-1")) == "key-revoked"


def test_a_registrar_whose_key_is_revoked_grants_nothing(book: Book, made: Organisation) -> None:
    book.take(revocation(made, "reg-1", "reg-2", "compromised"))
    assert book.refusal(made.role("rec-1", "auditor")) == "key-revoked"


def test_every_signature_must_be_by_a_key_that_counts(book: Book, made: Organisation) -> None:
    more = made.award("m-2", signers=("rec-1", "com-1", "stranger"))
    assert book.refusal(more) == "key-known"


def test_a_registrar_of_a_branch_touches_only_actors_within_it(
    book: Book, made: Organisation
) -> None:
    book.take(made.unit("west", "root"))
    for name in ("reg-east", "clerk"):
        book.take(made.key(name))
    book.take(role(made, "granted", "reg-east", "registrar", "reg-1", "reg-2", unit="east"))
    assert book.refusal(registration(made, "clerk", "k2", "reg-east", "k2")) is None
    book.take(role(made, "granted", "clerk", "auditor", "reg-1", unit="east"))
    assert book.refusal(registration(made, "clerk", "k2", "reg-east", "k2")) is None
    book.take(role(made, "granted", "clerk", "auditor", "reg-1", unit="west"))
    assert book.refusal(registration(made, "clerk", "k2", "reg-east", "k2")) == "needs-registrar"
    assert book.refusal(revocation(made, "clerk", "reg-east")) == "needs-registrar"
    assert book.refusal(revocation(made, "clerk", "reg-1")) is None


# -- roles -----------------------------------------------------------------------------------------


def test_two_registrars_sign_for_a_registrar_where_two_stand(
    book: Book, made: Organisation
) -> None:
    assert book.refusal(role(made, "granted", "rec-1", "registrar", "reg-1")) == "two-registrars"
    assert book.refusal(role(made, "revoked", "reg-2", "registrar", "reg-1")) == "two-registrars"
    book.take(role(made, "revoked", "reg-2", "registrar", "reg-1", "reg-2"))
    assert book.refusal(role(made, "granted", "rec-1", "registrar", "reg-1")) is None


def test_two_keys_of_one_registrar_are_one_registrar(book: Book, made: Organisation) -> None:
    book.take(registration(made, "reg-1", "second", "reg-1", "second"))
    granted = role(made, "granted", "rec-1", "registrar", "reg-1", "second")
    assert book.refusal(granted) == "two-registrars"


def test_a_registrar_acts_within_the_own_unit(book: Book, made: Organisation) -> None:
    book.take(made.unit("west", "root"))
    book.take(made.key("reg-east"))
    book.take(role(made, "granted", "reg-east", "registrar", "reg-1", "reg-2", unit="east"))
    assert book.refusal(made.role("rec-1", "auditor", "east")) is None
    east = role(made, "granted", "rec-1", "auditor", "reg-east", unit="east")
    assert book.refusal(east) is None
    west = role(made, "granted", "rec-1", "auditor", "reg-east", unit="west")
    assert book.refusal(west) == "needs-registrar"


def test_a_role_holds_to_the_end_of_its_last_day_in_the_zone(
    book: Book, made: Organisation
) -> None:
    book.take(made.key("rec-3"))
    book.take(role(made, "granted", "rec-3", "recorder", "reg-1", until="2026-01-06"))
    award = made.award("m-2", signers=("rec-3", "com-1"))
    # Shanghai is eight hours ahead: its 6th of January ends at 16:00 UTC.
    book.now = datetime(2026, 1, 6, 15, 59, 59, 999999, tzinfo=UTC)
    assert book.refusal(award) is None
    book.now = datetime(2026, 1, 6, 16, 0, tzinfo=UTC)
    assert book.refusal(award) == "needs-recorder"
    assert book.refusal(role(made, "revoked", "rec-3", "recorder", "reg-1")) == "role-held"


def test_a_role_is_not_granted_until_a_day_that_has_passed(book: Book, made: Organisation) -> None:
    past = role(made, "granted", "rec-1", "auditor", "reg-1", until="2026-01-04")
    assert book.refusal(past) == "role-until"
    unreal = role(made, "granted", "rec-1", "auditor", "reg-1", until="2026-02-30")
    assert book.refusal(unreal) == "real-date"


def test_service_is_one_actor_over_root(book: Book, made: Organisation) -> None:
    for name in ("robot", "other"):
        book.take(made.key(name))
    assert book.refusal(made.role("robot", "service", "east")) == "service-root"
    book.take(made.role("robot", "service"))
    assert book.refusal(made.role("other", "service")) == "service-one"
    book.take(role(made, "revoked", "robot", "service", "reg-1"))
    assert book.refusal(made.role("other", "service")) is None
