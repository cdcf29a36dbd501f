"""An auditor's commands on a real ledger: query, receipt, export, sample, checks, analytics."""

from __future__ import annotations

from pathlib import Path

import orjson

from ledger.store.ledger import Ledger
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import Organisation
from tests.support.server import environment, mingzhang


def test_a_sample_of_a_recorded_query_is_drawn_and_recomputed(
    ledger: Ledger, clock: SteadyClock, tmp_path: Path, database_url: str
) -> None:
    organisation, env = Organisation(), environment(database_url)
    set_up(ledger, organisation, clock)
    ledger.append(organisation.key("aud-1"))
    ledger.append(organisation.role("aud-1", "auditor"))
    ledger.append_batch([organisation.award(f"m-{2 + n % 3}", 100 + n) for n in range(20)])
    body = {"query": {"kinds": ["credit"]}, "count": 4, "weighting": "risk"}
    query = organisation.statement("audit.queried", "unit/east", "aud-1", body)
    receipt = tmp_path / "query.tlog-proof"
    receipt.write_bytes(ledger.append(query))
    ledger.append(organisation.award("m-2"))
    assert ledger.append(query) == receipt.read_bytes(), "the seed's checkpoint stays the first one"

    data, export, paper = tmp_path / "data", tmp_path / "export", tmp_path / "paper.json"
    vkey = ("--vkey", data / "log.vkey")
    assert mingzhang("export", export, "--data", data, env=env).returncode == 0
    drawn = mingzhang(
        *("audit", "sample", export, "--query", receipt, "--index-number", "A-1"),
        *("--preparer", "aud-1", "--out", paper, *vkey),
    )
    assert drawn.returncode == 0, drawn.stderr
    assert "20 entries, weight 60; drawn 4" in drawn.stdout
    checked = mingzhang("audit", "verify-sample", paper, export, *vkey)
    assert checked.stdout.splitlines()[-1].startswith("OK"), checked.stderr

    changed = orjson.loads(paper.read_bytes())
    changed["query"]["weighting"] = "none"
    paper.write_bytes(orjson.dumps(changed, option=orjson.OPT_SORT_KEYS) + b"\n")
    refused = mingzhang("audit", "verify-sample", paper, export, *vkey)
    assert refused.returncode == 1
    assert "the working paper's query is not what the log gives" in refused.stderr

    found = mingzhang("audit", "checks", export, *vkey, "--cheat", "24", "--json")
    assert orjson.loads(found.stdout)["found"] == []
    asked = mingzhang("audit", "fairness", export, *vkey, "--period", "2026", "--json")
    assert orjson.loads(asked.stdout)["acts"] == 21, asked.stderr
