"""A period's state from its published table to a member's proof, as people run it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from ledger.store.ledger import Ledger
from tests.support.organisation import Organisation
from tests.support.sealing import done, published_month, seal
from tests.support.server import Server, environment, mingzhang
from tests.support.waiting import wait_until


def awards(ledger: Ledger, organisation: Organisation) -> None:
    for member, points in (("m-1", 150), ("m-2", 225), ("m-3", 150)):
        ledger.append(organisation.award(member, points))


@pytest.fixture
def month(tmp_path: Path, database_url: str) -> str:
    """A month that is over, with its table published today."""
    return published_month(tmp_path, database_url, awards)[1]


def test_two_sign_the_state_and_a_member_keeps_a_proof_of_balance_rank_or_absence(
    month: str, tmp_path: Path, database_url: str
) -> None:
    env, data, out = environment(database_url), tmp_path / "data", tmp_path / "state"
    here = ("--data", data)
    shown = done(mingzhang("seal", "p", "--out", out, *here, env=env))
    assert "members     4 leaves as of log size" in shown
    assert mingzhang("seal", "p", "--out", out, *here, env=env).returncode == 2
    early = mingzhang(
        "proof", "state", "p", "ranking", "m-3", "--out", tmp_path / "x", *here, env=env
    )
    assert (early.returncode, "was not sealed" in early.stderr) == (1, True)
    seal(tmp_path, env, "members", out / "members.json")
    seal(tmp_path, env, "ranking", out / "ranking.json")

    vkey = ("--vkey", data / "log.vkey")
    for tree, member, said in (
        ("members", "m-3", "merit       1.50"),
        ("ranking", "m-3", "rank        2, position 3 of 4, with 1.50"),
        ("members", "m-25", "m-25 is not in the tree"),
    ):
        file = tmp_path / f"{tree}-{member}.proof"
        done(mingzhang("proof", "state", "p", tree, member, "--out", file, *here, env=env))
        checked = done(mingzhang("verify", "state", file, *vkey))
        assert said in checked
        forged = orjson.loads(file.read_bytes())
        if "index" in forged:
            forged["index"] ^= 1
        else:
            forged["absent"] = "m-2"
        file.write_bytes(orjson.dumps(forged))
        assert mingzhang("verify", "state", file, *vkey).returncode == 1
    no_place = mingzhang(
        "proof", "state", "p", "ranking", "m-25", "--out", tmp_path / "x", *here, env=env
    )
    assert (no_place.returncode, "no place in the ranking" in no_place.stderr) == (1, True)

    export = tmp_path / "export"
    done(mingzhang("export", export, *here, env=env))
    ranking = tmp_path / "ranking.json"
    size = str(orjson.loads((out / "members.json").read_bytes())["as_of"])
    asked = ("--unit", "root", "--period", month, "--as-of", size, "--json")
    ranking.write_text(done(mingzhang("ranking", *asked, *here, env=env)))
    files = [out / "members.leaves.json", out / "ranking.leaves.json", ranking]
    words = [word for each in files for word in ("--published", each)]
    compared = done(mingzhang("audit", "compare", export, *vkey, *words))
    assert compared.splitlines()[-1] == "OK          2 seals and 3 files are what the log gives"
    check_over_http(tmp_path, env, size)


def check_over_http(tmp_path: Path, env: dict[str, str], size: str) -> None:
    """The same proofs over HTTP; those of ranks only where rankings are turned on."""
    data, vkey = tmp_path / "data", ("--vkey", tmp_path / "data" / "log.vkey")
    with Server(data, env, tmp_path / "serve.log") as server:
        place = f"/v1/states/p/members/{size}/m-2"
        wait_until(lambda: server.get(place).status_code == 200, 30)
        (tmp_path / "http.proof").write_bytes(server.get(place).content)
        for path, status in (
            (f"members/{size}/ghost", 200),
            (f"ranking/{size}/m-2", 403),
            (f"members/{int(size) + 1}/m-2", 404),
            (f"others/{size}/m-2", 422),
        ):
            assert server.get(f"/v1/states/p/{path}").status_code == status, path
    assert "merit       2.25" in done(mingzhang("verify", "state", tmp_path / "http.proof", *vkey))


def test_nothing_is_proved_under_a_false_root(
    month: str, tmp_path: Path, database_url: str
) -> None:
    env, data, out = environment(database_url), tmp_path / "data", tmp_path / "state"
    done(mingzhang("seal", "p", "--out", out, "--data", data, env=env))
    body = orjson.loads((out / "members.json").read_bytes())
    (out / "false.json").write_bytes(orjson.dumps(body | {"root": "ab" * 32}))
    seal(tmp_path, env, "members", out / "false.json")
    words = ("proof", "state", "p", "members", "m-1", "--out", tmp_path / "x", "--data", data)
    refused = mingzhang(*words, env=env)
    assert refused.returncode == 1
    assert "not what the log gives" in refused.stderr
    assert not (tmp_path / "x").exists()
