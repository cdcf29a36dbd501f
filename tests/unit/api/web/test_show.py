"""How pages write what a rulebook names."""

from __future__ import annotations

from api.web import show
from api.web.register import Published
from api.web.words import Words

BODY = {"bands": [{"code": "excellent_candidate", "name_zh": "优秀候选", "min": 9000}]}


def test_a_band_is_called_as_the_rulebook_calls_it_and_never_by_a_code_with_underscores() -> None:
    book = Published("school", 7, BODY)
    assert show.band_of(Words("zh"), book, "excellent_candidate") == "优秀候选"
    assert show.band_of(Words("en"), book, "excellent_candidate") == "excellent candidate"
    assert show.band_of(Words("zh"), book, "not_named") == "not named"
    assert show.band_of(Words("zh"), None, "qualified") == "qualified"
