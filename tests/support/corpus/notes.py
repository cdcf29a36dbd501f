"""Broken signed notes, and what goes with them: keys, policies, cosignatures, requests, tokens."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from ledger.log.note import Signer
from tests.support.corpus.changes import Case, Makers, loose_base64, signature_line
from tests.support.organisation import key_of
from tests.support.parsers import (
    VKEY,
    good_checkpoint,
    good_request,
    seeds,
)
from tests.support.static_log import LOG_SIGNER, OTHER_SIGNER
from tests.support.witnesses import LOG, Tree


def _notes() -> Iterator[Case]:
    good = good_checkpoint()
    text, line = good.split(b"\n\n", 1)
    encoded = line.split()[-1]
    yield "empty", b"", "does not end in a newline"
    yield "crlf", good.replace(b"\n", b"\r\n"), "no blank line"
    yield "cr-in-text", good.replace(b"points\n", b"points\r\n"), "control character"
    yield "no-final-newline", good[:-1], "does not end in a newline"
    yield "trailing-newline", good + b"\n", "no blank line"
    yield "trailing-bytes", good + b"x", "does not end in a newline"
    yield "no-blank-line", text + b"\n" + line, "no blank line"
    yield "no-signature", text + b"\n\n", "no blank line with signatures"
    yield "empty-text", b"\n\n" + line, "not empty"
    yield "not-utf8", b"\xff" + good, "not UTF-8"
    yield "nul", b"\0" + good, "control character"
    yield "hyphen-for-dash", good.replace("— ".encode(), b"- "), "not a signature line"
    yield "two-spaces", good.replace("— ".encode(), "—  ".encode()), "not a signature line"
    yield "no-base64", good.replace(encoded, b"AAA*"), "not a signature line"
    yield (
        "base64-url",
        good.replace(encoded, encoded.replace(b"+", b"-").replace(b"/", b"_")),
        ("not a signature line"),
    )
    yield "base64-no-padding", good.replace(encoded, encoded[:-2] + b"A"), "not base64"
    yield (
        "base64-bits-set",
        text + b"\n\n" + "— other.example ".encode() + b"AAAAAAB=\n",
        ("unused bits"),
    )
    yield "short-signature", good.replace(encoded, b"AAAA"), "4-byte key id and a signature"
    many = [
        signature_line(Signer(f"w{n}.example", key_of(f"w{n}")), text.decode() + "\n")
        for n in range(100)
    ]
    yield "101-signatures", text + b"\n\n" + line + b"".join(many), "101 signatures, at most 100"
    bad = signature_line(LOG_SIGNER, "another text\n")
    yield "bad-beside-good", text + b"\n\n" + line + bad, "is bad"
    yield "by-another-key", OTHER_SIGNER.sign(text.decode() + "\n"), "no known key"
    yield "too-large", b"x" * 70_000 + b"\n\n" + line, "at most 65536"


def _checkpoints() -> Iterator[Case]:
    origin, size, root = good_checkpoint().decode().split("\n\n")[0].split("\n")

    def signed(text: str) -> bytes:
        return LOG_SIGNER.sign(text)

    yield "leading-zero", signed(f"{origin}\n0{size}\n{root}\n"), "leading zeros"
    yield "plus-sign", signed(f"{origin}\n+{size}\n{root}\n"), "leading zeros"
    yield "negative", signed(f"{origin}\n-1\n{root}\n"), "leading zeros"
    yield "empty-size", signed(f"{origin}\n\n{root}\n"), "no decimal"
    yield "arabic-digits", signed(f"{origin}\n٤٠\n{root}\n"), "no decimal"
    yield "huge-size", signed(f"{origin}\n{2**63}\n{root}\n"), "no decimal"
    yield "oversized-size", signed(f"{origin}\n{'9' * 5_000}\n{root}\n"), "no decimal"
    yield "extension-line", signed(f"{origin}\n{size}\n{root}\nextra\n"), "an extension line"
    yield "two-lines", signed(f"{origin}\n{size}\n"), "too few lines"
    yield "no-origin", signed(f"\n{size}\n{root}\n"), "names no origin"
    yield "other-origin", signed(f"other.example/log\n{size}\n{root}\n"), "is of other.example/log"
    yield "short-root", signed(f"{origin}\n{size}\n{root[:40]}\n"), "where 32 are needed"
    yield "root-bits-set", signed(f"{origin}\n{size}\n{loose_base64(root)}\n"), "unused bits"
    yield "root-space", signed(f"{origin}\n{size}\n{root} \n"), "not base64"
    yield "crlf", signed(f"{origin}\n{size}\n{root}\n").replace(b"\n", b"\r\n"), "no blank line"
    yield "size-changed", good_checkpoint().replace(f"\n{size}\n".encode(), b"\n41\n"), "is bad"
    yield "trailing-bytes", good_checkpoint() + b"trailing\n", "not a signature line"


def _vkeys() -> Iterator[Case]:
    name, ident, encoded = VKEY.text.split("+", 2)
    typed = base64.b64decode(encoded)
    witness = base64.b64encode(b"\x04" + typed[1:]).decode()
    for label, text, reason in (
        ("empty", "", "in one line"),
        ("no-id", f"{name}+{encoded}", "in one line"),
        ("upper-case-id", f"{name}+{ident.upper()}+{encoded}", "in one line"),
        ("wrong-id", f"{name}+00000000+{encoded}", "a typo?"),
        ("other-name", f"x{name}+{ident}+{encoded}", "a typo?"),
        ("space-in-name", f"a b+{ident}+{encoded}", "in one line"),
        ("plus-in-name", f"a+b+{ident}+{encoded}", "in one line"),
        ("newline", f"{VKEY.text}\n", "in one line"),
        ("crlf", f"{VKEY.text}\r\n", "in one line"),
        ("other-type", f"{name}+{ident}+{witness}", "not of type 01"),
        ("short-key", f"{name}+{ident}+{base64.b64encode(typed[:32]).decode()}", "32 bytes"),
        ("long-key", f"{name}+{ident}+{base64.b64encode(typed + b'x').decode()}", "32 bytes"),
        ("base64-bits-set", f"{name}+{ident}+AQB=", "unused bits"),
        ("base64-url", f"{name}+{ident}+_-8=", "in one line"),
        ("base64-no-padding", f"{name}+{ident}+AQ", "not base64"),
        ("oversized", f"{name}+{ident}+{'A' * 10_000}", "32 bytes"),
        ("not-utf8", f"\udcff+{ident}+{encoded}", "not UTF-8"),
    ):
        yield label, text.encode("utf-8", "surrogateescape"), reason


def _policies() -> Iterator[Case]:
    (good,) = seeds("policy")
    lines = good.split(b"\n")
    first = next(line for line in lines if line.startswith(b"witness w1 "))
    key = first.split()[2]
    yield "empty", b"", "last line does not end in a newline"
    yield "no-final-newline", good[:-1], "does not end in a newline"
    yield "crlf", good.replace(b"\n", b"\r\n"), "control character"
    yield "nul", good.replace(b"quorum", b"\0quorum"), "control character"
    yield "trailing-bytes", good + b"x", "does not end in a newline"
    yield "trailing-line", good + b"x\n", "it is none of"
    yield "bom", b"\xef\xbb\xbf" + good, "it is none of"
    yield "no-quorum", good.replace(b"quorum g\n", b""), "no quorum line"
    yield "two-quorums", good + b"quorum w1\n", "exactly one quorum line"
    yield "quorum-unknown", good.replace(b"quorum g", b"quorum h"), "not defined by a line before"
    yield "quorum-first", b"quorum g\n" + good, "not defined by a line before"
    yield "name-twice", good.replace(b"witness w2", b"witness w1"), "defined already"
    yield "key-twice", good.replace(b"quorum g", b"witness w4 " + key + b"\nquorum g"), "already"
    yield "name-none", good.replace(b"witness w1", b"witness none"), "no cosignature is needed"
    yield "in-two-groups", good.replace(b"quorum", b"group h 1 w1\nquorum"), "count twice"
    yield "member-twice", good.replace(b"2 w1 w2 w3", b"2 w1 w1 w3"), "count twice"
    yield "threshold-0", good.replace(b"group g 2", b"group g 0"), "nor a number from 1"
    yield "threshold-leading-zero", good.replace(b"group g 2", b"group g 02"), "nor a number from 1"
    yield "threshold-plus", good.replace(b"group g 2", b"group g +2"), "nor a number from 1"
    yield "threshold-too-large", good.replace(b"group g 2", b"group g 4"), "can never be"
    yield "threshold-oversized", good.replace(b"group g 2", b"group g 9999999"), "from 1"
    yield "key-bits-set", good.replace(key, _loose_key(key)), "unused bits"
    yield "key-no-padding", good.replace(key, key[:-1]), "base64"
    yield "key-wrong-id", good.replace(key, _other_id(key)), "a typo?"
    yield "log-key-for-witness", good.replace(key, VKEY.text.encode()), "which cosigners have"
    yield "extra-field", good.replace(b"quorum g", b"quorum g g"), "it is none of"
    yield "unknown-line", good + b"trust me\n", "it is none of"
    yield "oversized", good + b"#" * 262_144 + b"\n", "at most 262144"


def _loose_key(key: bytes) -> bytes:
    """Return a verifier key whose base64 has bytes short of a group, with an unused bit set."""
    name, ident, _ = key.decode().split("+", 2)
    return f"{name}+{ident}+BAB=".encode()


def _other_id(key: bytes) -> bytes:
    name, ident, public = key.decode().split("+", 2)
    return f"{name}+{int(ident, 16) ^ 1:08x}+{public}".encode()


def _requests() -> Iterator[Case]:
    good = good_request()
    head, told = good.split(b"\n\n", 1)
    lines = head.split(b"\n")
    one = lines[1]

    def with_proof(*proof: bytes) -> bytes:
        return b"\n".join([lines[0], *proof]) + b"\n\n" + told

    yield "empty", b"", "no blank line"
    yield "crlf", good.replace(b"\n", b"\r\n"), "no blank line"
    yield "no-blank-line", good.replace(b"\n\n", b"\n", 1), "base64"
    yield "old-leading-zero", good.replace(b"old 5", b"old 05"), "without leading zeros"
    yield "old-plus", good.replace(b"old 5", b"old +5"), "without leading zeros"
    yield "old-negative", good.replace(b"old 5", b"old -5"), "without leading zeros"
    yield "old-oversized", good.replace(b"old 5", b"old " + b"9" * 19), "without leading zeros"
    yield "old-two-spaces", good.replace(b"old 5", b"old  5"), "without leading zeros"
    yield "old-upper-case", good.replace(b"old 5", b"OLD 5"), "without leading zeros"
    yield "old-above-size", good.replace(b"old 5", b"old 12"), "400 old size 12"
    yield "old-of-another", good.replace(b"old 5", b"old 4"), "409 5"
    yield "not-ascii", b"\xff" + good, "not ASCII"
    yield "proof-64-hashes", with_proof(*[one] * 64), "64 hashes, 63 at most"
    yield (
        "proof-bits-set",
        with_proof(loose_base64(one.decode()).encode(), *lines[2:]),
        "unused bits",
    )
    yield "proof-no-padding", with_proof(one[:-1], *lines[2:]), "base64"
    yield "proof-short-hash", with_proof(b"AAAA", *lines[2:]), "where 32 are needed"
    yield "proof-too-short", with_proof(*lines[1:-1]), "422 "
    yield "proof-too-long", with_proof(*lines[1:], one), "422 "
    yield "proof-of-another-tree", with_proof(*_proof_of_another()), "422 "
    yield "other-tree", head + b"\n\n" + Tree("other").note(11), "422 "
    yield "other-log", head + b"\n\n" + Tree(signer=OTHER_SIGNER).note(11), "404 "
    yield "no-final-newline", good[:-1], "400 the note does not end in a newline"
    yield "trailing-bytes", good + b"x", "400 the note does not end in a newline"
    yield "unsigned", good.rpartition(b"\n\n")[0] + b"\n\n", "400 "
    yield "size-leading-zero", head + b"\n\n" + _signed_text(b"\n11\n", b"\n011\n"), "400 "
    many = b"".join(
        signature_line(Signer(f"w{n}.example", key_of(f"w{n}")), "text\n") for n in range(100)
    )
    yield "101-signatures", good + many, "400 the note has 101 signatures"
    yield "oversized", good + b"x" * 16_384, "at most 16384"


def _proof_of_another() -> list[bytes]:
    return Tree("other").request(5, 11).split(b"\n\n")[0].split(b"\n")[1:]


def _signed_text(old: bytes, new: bytes) -> bytes:
    text = Tree().checkpoint(11).body().encode()
    return LOG.sign(text.replace(old, new).decode())


def _cosignatures() -> Iterator[Case]:
    (good,) = seeds("cosignatures")
    encoded = good.split()[2]
    yield "empty", b"", "end in a newline each"
    yield "no-final-newline", good[:-1], "end in a newline each"
    yield "trailing-newline", good + b"\n", "not a signature line"
    yield "trailing-bytes", good + b"x", "end in a newline each"
    yield "crlf", good.replace(b"\n", b"\r\n"), "not a signature line"
    yield "not-utf8", b"\xff" + good, "not UTF-8"
    yield "hyphen-for-dash", good.replace("— ".encode(), b"- "), "not a signature line"
    yield "base64-no-padding", good.replace(encoded, encoded[:-2]), "base64"
    yield "base64-bits-set", good.replace(encoded, b"AAAAAAB="), "unused bits"
    yield "short-signature", good.replace(encoded, b"AAAA"), "4-byte key id and a signature"
    yield "101-lines", good.splitlines(keepends=True)[0] * 101, "101 signature lines"


def _tokens() -> Iterator[Case]:
    def status(number: int) -> bytes:
        return bytes.fromhex("300530030201") + bytes([number])

    yield "empty", b"", "no time-stamp response in DER"
    yield "text", b"<html>", "no time-stamp response in DER"
    yield "rejected", status(2), "granted no token: rejected"
    yield "waiting", status(3), "granted no token: waiting"
    yield "with-changes", status(1), "granted no token: granted with changes"
    yield "unknown-status", status(99), "granted no token: status 99"
    yield "nothing-granted", status(0), "does not hold"
    yield "trailing-bytes", status(0) + b"\0", "no time-stamp response in DER"
    yield "long-length", bytes.fromhex("308200053003020100"), "no time-stamp response in DER"
    yield "indefinite-length", bytes.fromhex("308030030201000000"), "no time-stamp response in DER"
    yield "cut", status(0)[:-1], "no time-stamp response in DER"
    yield "oversized", bytes(66_000), "at most 65536"


MAKERS: Makers = {
    "note": _notes,
    "checkpoint": _checkpoints,
    "vkey": _vkeys,
    "policy": _policies,
    "add-checkpoint": _requests,
    "cosignatures": _cosignatures,
    "token": _tokens,
}
