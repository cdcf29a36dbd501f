"""What the openings of a case show that the log alone cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from api.cli.verify import verify as verify_app
from ledger.canonical import dumps
from ledger.commitment import commit
from ledger.errors import FormatError, NotFoundError, ProofError
from ledger.verify.cases import Opening, check_case
from tests.support.hearing import CASE, FILED_ON, SALT, Hearing
from tests.support.organisation import COMMITMENT
from tests.support.static_log import LOG_SIGNER
from tests.support.watched import Watched

FILER_SALT = bytes([3]) * 32
TARGET_SALT = bytes.fromhex(SALT)


def filed(hearing: Hearing, entry: str, filer: str, **changed: Any) -> Opening:
    """Let somebody file a case about an entry of m-2, and receive it."""
    target = {"stream": "member/m-2", "entry": entry}
    body: dict[str, Any] = {"target": target, "reason": COMMITMENT, "evidence": []}
    stream = f"dispute/{CASE}"
    envelope = hearing.organisation.statement("dispute.filed", stream, filer, body | changed)
    received = {
        "unit": "east",
        "kind": "entry",
        "filer": commit(FILER_SALT, envelope),
        "target": commit(TARGET_SALT, dumps(target)),
    }
    hearing.say("dispute.received", stream, received, ("in-1",), FILED_ON)
    return Opening(envelope, FILER_SALT, target, TARGET_SALT)


def dismissed(hearing: Hearing, *deciders: str) -> None:
    hearing.do("acknowledged", "in-1")
    hearing.do("accepted", "disc-1")
    hearing.do("checked", "disc-1", step="talk", reason=COMMITMENT)
    hearing.do("heard", "disc-1", held_on=FILED_ON, bundle=COMMITMENT)
    hearing.decide("", "dismissed", *deciders)


def rules(hearing: Hearing, opening: Opening) -> list[str]:
    return [each.rule for each in check_case(hearing.world, CASE, opening)]


def test_a_case_that_was_handled_by_others_holds() -> None:
    hearing = Hearing()
    opening = filed(hearing, hearing.final(), "mem-2")
    dismissed(hearing, "disc-1", "disc-2")
    assert rules(hearing, opening) == []


def test_a_filer_who_handled_the_own_case_is_shown() -> None:
    hearing = Hearing()
    opening = filed(hearing, hearing.final(), "disc-1")
    dismissed(hearing, "disc-2", "disc-3")
    assert rules(hearing, opening) == ["filer-handles"]


@pytest.mark.parametrize(("name", "rule"), [("lead-1", "one-step"), ("mem-2", "no-self-review")])
def test_who_dismissed_a_complaint_about_the_own_part_is_shown(name: str, rule: str) -> None:
    hearing = Hearing()
    hearing.give(name, "discipline", "east")
    opening = filed(hearing, hearing.final(), "disc-3")
    dismissed(hearing, "disc-2", name)
    assert rules(hearing, opening) == [rule]


def test_openings_of_something_else_are_refused() -> None:
    hearing = Hearing()
    ident = hearing.final()
    opening = filed(hearing, ident, "mem-2")
    with pytest.raises(ProofError, match="commitment"):
        rules(hearing, opening._replace(target=opening.target | {"stream": "member/m-3"}))
    with pytest.raises(ProofError, match="commitment"):
        rules(hearing, opening._replace(envelope_salt=bytes(32)))
    with pytest.raises(NotFoundError):
        list(check_case(hearing.world, "d-9", opening))


def test_an_envelope_about_another_target_is_refused() -> None:
    hearing = Hearing()
    opening = filed(hearing, hearing.final(), "mem-2", target={"period": "y"})
    with pytest.raises(ProofError, match="another target"):
        rules(hearing, opening)


class Recorded(Watched, Hearing):
    """A hearing whose log can be written."""


@pytest.mark.parametrize(("filer", "exit_code"), [("mem-2", 0), ("disc-1", 1)])
def test_the_command_checks_a_disclosed_case_against_a_published_log(
    tmp_path: Path, filer: str, exit_code: int
) -> None:
    hearing = Recorded()
    opening = filed(hearing, hearing.final(), filer)
    dismissed(hearing, "disc-2", "disc-3")
    hearing.write(tmp_path / "log")
    shown = {
        "dispute": CASE,
        "envelope": opening.envelope.decode(),
        "envelope_salt": opening.envelope_salt.hex(),
        "target": opening.target,
        "target_salt": opening.target_salt.hex(),
    }
    file = tmp_path / "case.json"
    file.write_bytes(orjson.dumps(shown))
    words = ["case", str(file), str(tmp_path / "log"), "--vkey", LOG_SIGNER.vkey.text]
    result = CliRunner().invoke(verify_app, words)
    assert result.exit_code == exit_code, result.output
    assert ("filer-handles" in result.stdout) == bool(exit_code)
    file.write_bytes(orjson.dumps(shown | {"target_salt": "zz"}))
    assert isinstance(CliRunner().invoke(verify_app, words).exception, FormatError)
