"""Pictures that look like photographs to whatever compares them, made from a seed."""

from __future__ import annotations

import io
import random
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

from ledger.store.media import JPEG, PNG, WEBP

FORMATS = {"JPEG": JPEG, "PNG": PNG, "WEBP": WEBP}


def photograph(seed: int, size: tuple[int, int] = (800, 600)) -> Image.Image:
    """Return shapes and light as a photograph has them, other ones for each seed."""
    drawn = random.Random(seed)
    small = Image.new("RGB", (16, 12))
    small.putdata([tuple(drawn.randrange(256) for _ in range(3)) for _ in range(192)])
    made = small.resize(size, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(made)
    for _ in range(12):
        x, y = drawn.randrange(size[0]), drawn.randrange(size[1])
        colour = tuple(drawn.randrange(256) for _ in range(3))
        pen.ellipse((x, y, x + drawn.randrange(20, 160), y + drawn.randrange(20, 160)), colour)
    return made.filter(ImageFilter.GaussianBlur(2))


def saved(picture: Image.Image, kind: str = "JPEG", **options: Any) -> tuple[bytes, str]:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue(), FORMATS[kind]
