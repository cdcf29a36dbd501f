from __future__ import annotations

import hashlib
import re

import pytest

from api.web import standalone
from ledger.signing import encode_base64


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Modules that are there in the place of the package's own."""
    files: dict[str, str] = {}
    monkeypatch.setattr(standalone, "static_text", lambda name: files[name])
    standalone.bundle.cache_clear()
    return files


def test_each_module_comes_once_and_after_what_it_imports(modules: dict[str, str]) -> None:
    modules["a/one.js"] = (
        'import { two, three as drei } from "./two.js";\nexport const one = two + drei;\n'
    )
    modules["a/two.js"] = (
        'import { base } from "../base.js";\nexport const two = base;\nexport const three = 3;\n'
    )
    modules["base.js"] = "var q=1;export{q as base};\n"
    text = standalone.bundle("a/one.js", "a/two.js")
    order = [
        text.index(f"const {standalone.constant_of(n)}")
        for n in ("base.js", "a/two.js", "a/one.js")
    ]
    assert order == sorted(order)
    assert text.count(" = (() => {") == 3
    assert "const {two, three: drei} = module_a_two_js;" in text
    assert "return {base: q};" in text
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)


@pytest.mark.parametrize(
    "source",
    [
        'import x from "./y.js";\n',
        'import * as x from "./y.js";\n',
        "export default 1;\n",
        'export * from "./y.js";\n',
        'const end = "</script>";\n',
    ],
)
def test_another_form_is_refused_rather_than_bundled_wrong(
    source: str, modules: dict[str, str]
) -> None:
    modules["x.js"] = source
    with pytest.raises(ValueError, match=r"x\.js has a form"):
        standalone.bundle("x.js")


def test_the_page_allows_its_own_script_and_style_and_no_request() -> None:
    standalone.bundle.cache_clear()
    page = standalone.verify_page()
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    script = re.search(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    assert script is not None
    digest = encode_base64(hashlib.sha256(script[1].encode()).digest())
    assert f"script-src 'sha256-{digest}'" in found[1]
    assert "default-src 'none'" in found[1]
    assert "connect-src" not in found[1]
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "MIT License" in page


def test_the_code_of_others_is_what_its_note_says() -> None:
    note = standalone.static_text("vendor/README.md")
    found = re.search(r"`([0-9a-f]{64})`", note)
    assert found is not None
    code = standalone.static_text("vendor/noble.js").encode()
    assert hashlib.sha256(code).hexdigest() == found[1]
