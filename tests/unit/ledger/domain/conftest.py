"""A founded organisation and the book of its decisions."""

from __future__ import annotations

import pytest

from tests.support.book import Book
from tests.support.organisation import Organisation


@pytest.fixture
def book() -> Book:
    return Book(Organisation())


@pytest.fixture
def made(book: Book) -> Organisation:
    return book.organisation
