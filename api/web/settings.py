"""What the pages take from a ledger's data folder."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import StartRefusedError
from ledger.store.ledger import CONFIG_FILE, POLICY_FILE, read_policy


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What a deployment decided about its pages.

    `policy` is the witnesses' policy (C2SP tlog-policy) as it is served, None without one;
    `contact` is where an objection goes: a `mailto:` address, a telephone number or words. `url` is
    where people reach the pages, without a slash at its end; paper leads there.
    """

    policy: bytes | None = None
    contact: str = ""
    url: str = ""


def read_page_settings(data_dir: Path) -> PageSettings:
    """Return the settings `contact` and `url`, and the policy that the ledger keeps.

    Raises StartRefusedError.
    """
    path = data_dir / CONFIG_FILE
    try:
        config = tomllib.loads(path.read_text())
        contact, url = config.get("contact", ""), config.get("url", "")
        # It is served as the operator wrote it, comments and all, once it is known to be one.
        kept = read_policy(data_dir) is not None
        policy = (data_dir / POLICY_FILE).read_bytes() if kept else None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise StartRefusedError(f"cannot read {path}: {error}") from None
    if not isinstance(contact, str):
        raise StartRefusedError(f"`contact` in {path} must be text")
    if not isinstance(url, str):
        raise StartRefusedError(f"`url` in {path} must be text")
    return PageSettings(policy, contact, url.rstrip("/"))
