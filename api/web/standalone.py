"""Puts ES modules into one script, and a page with everything it needs into one file.

No build tool: the modules of `static/` keep to a few forms of import and export, each becomes a
function of its own, and whatever has another form is refused. The page runs from `file://`; its
policy (CSP) names its own script and style by their digests and allows no request at all.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from string import Template

from ledger.signing import encode_base64

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.{1,2}/[a-z0-9./-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
_EXPORT_LIST = re.compile(r"^export ?\{([^}]*)\};?\s*\Z|;export ?\{([^}]*)\};?\s*\Z", re.MULTILINE)
_LEFT_OVER = re.compile(r"^(?:import|export)\b", re.MULTILINE)


def static_text(name: str) -> str:
    """Return a file of `static/`, such as `style.css`."""
    return _static().joinpath(name).read_text(encoding="utf-8")


@cache
def bundle(*entries: str) -> str:
    """Return one script with the modules `entries` and all that they import, each run once.

    Names are below `static/`. The exports of a module are the constant `module_name` after it, so a
    caller can go on from there. Raises ValueError for a form of import or export not known here.
    """
    parts: list[str] = []
    seen: dict[str, None] = {}
    for each in entries:
        _add(each, parts, seen)
    return "".join(parts)


def constant_of(name: str) -> str:
    """Return the constant that holds a module's exports in a bundle."""
    return "module_" + re.sub(r"\W", "_", name)


def verify_page() -> str:
    """Return `verify.html`: the page that checks receipts, evidence and bundles, off line."""
    script = bundle("verifier/verify-page.js")
    style = static_text("style.css")
    licence = static_text("vendor/noble.LICENSE")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    page = Template(static_text("verify.template.html"))
    return page.substitute(policy=policy, script=script, style=style, licence=licence)


def _add(name: str, parts: list[str], seen: dict[str, None]) -> None:
    if name in seen:
        return
    seen[name] = None
    source = static_text(name)
    taken = []
    for names, path in _IMPORT.findall(source):
        target = _resolve(name, path)
        _add(target, parts, seen)
        taken.append(f"  const {{{_renamed(names, 'as', ':')}}} = {constant_of(target)};\n")
    body = _IMPORT.sub("", source)
    given = ", ".join(found[1] for found in _EXPORT.finditer(body))
    body = _EXPORT.sub("", body)
    listed = _EXPORT_LIST.search(body)
    if listed:
        # `local as Public` becomes `Public: local`.
        pairs = (each.split() for each in (listed[1] or listed[2]).split(","))
        given = ", ".join(f"{pair[-1]}: {pair[0]}" for pair in pairs if pair)
        body = body[: listed.start()] + ";\n"
    if _LEFT_OVER.search(body) or "</script" in body:
        raise ValueError(f"{name} has a form of import or export that cannot be bundled")
    parts.append(
        f"const {constant_of(name)} = (() => {{\n{''.join(taken)}{body}"
        f"  return {{{given}}};\n}})();\n"
    )


def _renamed(names: str, word: str, mark: str) -> str:
    return re.sub(rf"\s+{word}\s+", f"{mark} ", " ".join(names.split()).strip(", "))


def _resolve(name: str, path: str) -> str:
    """Return the name below `static/` of what a module imports by a relative path."""
    found: list[str] = name.split("/")[:-1]
    for step in path.split("/"):
        if step == "..":
            found.pop()
        elif step != ".":
            found.append(step)
    return "/".join(found)


def _digest(text: str) -> str:
    return "sha256-" + encode_base64(hashlib.sha256(text.encode()).digest())


def _static() -> Traversable:
    return resources.files("api.web") / "static"
