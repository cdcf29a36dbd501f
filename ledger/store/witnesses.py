"""Asks the witnesses of a policy over HTTP, in parallel and with time limits."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Collection

import httpx

from ledger.errors import StartRefusedError
from ledger.log.checkpoint import parse_body
from ledger.log.note import parse
from ledger.log.policy import Policy, Witness
from ledger.log.submission import Answer, Kind, Prove, Reply, submit

TIMEOUT_S = 5.0
LATE_S = 30.0
"""How long a witness may be silent until its request is given up; until then it is not waited for,
and not asked anything else."""
ANSWER_BYTES_MAX = 64 * 1024
_SCHEMES = ("http://", "https://")


class Witnesses:
    """The witnesses of `policy` that have a URL; one request at a time is under way with each.

    Only one thread may call `ask`. An answer that comes after its time limit is not lost: the next
    `ask` returns it.
    """

    def __init__(self, policy: Policy, timeout_s: float = TIMEOUT_S) -> None:
        self.policy = policy
        self._timeout_s = timeout_s
        self._asked = {each.name: each for each in policy.witnesses if each.url is not None}
        self._known = dict.fromkeys(self._asked, 0)
        self._busy: set[str] = set()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._client = httpx.Client(
            timeout=httpx.Timeout(LATE_S, connect=timeout_s),
            headers={"User-Agent": "mingzhang"},
            limits=httpx.Limits(max_connections=len(self._asked) * 2 or 1),
        )

    @classmethod
    def of(cls, policy: Policy | None) -> Witnesses | None:
        """Return the witnesses of a policy, None where it has none. Raises StartRefusedError."""
        if policy is None or not policy.witnesses:
            return None
        cls.check(policy)
        return cls(policy)

    @staticmethod
    def check(policy: Policy) -> None:
        """Raise StartRefusedError where a policy's witnesses cannot be asked."""
        for each in policy.witnesses:
            if each.url is not None and not each.url.startswith(_SCHEMES):
                raise StartRefusedError(
                    f"the policy's URL of witness {each.name} is no http(s) URL: give its "
                    "submission prefix"
                )
        if policy.witnesses and not any(each.url for each in policy.witnesses):
            raise StartRefusedError(
                "the policy names no URL of any witness: write each one's submission prefix behind "
                "its key, `witness <name> <vkey> <url>`"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the policy, of those that can be asked."""
        return tuple(self._asked)

    def ask(
        self, signed: bytes, prove: Prove, names: Collection[str] | None = None
    ) -> list[Answer]:
        """Bring a signed note to the witnesses (to those of `names`), and return their answers.

        Takes at most the time limit; who has not answered by then is absent. `prove` is called
        from other threads, by one at a time.
        """
        size = parse_body(parse(signed).text).size
        lock = threading.Lock()

        def proving(old: int, new: int) -> tuple[bytes, ...]:
            with lock:
                return prove(old, new)

        waited = [
            each
            for name, each in self._asked.items()
            if name not in self._busy and (names is None or name in names)
        ]
        deadline_s = time.monotonic() + self._timeout_s
        for each in waited:
            self._busy.add(each.name)
            threading.Thread(
                target=self._bring, args=(each, signed, size, proving), daemon=True
            ).start()
        open_names = {each.name for each in waited}
        found: list[Answer] = []
        while open_names:
            answer = self._next(deadline_s - time.monotonic())
            if answer is None:
                break
            found.append(answer)
            if answer.size == size:
                open_names.discard(answer.witness)
        while (answer := self._next(0)) is not None:
            found.append(answer)
            open_names.discard(answer.witness)
        reason = f"it gave no answer within {self._timeout_s:g} s"
        return found + [
            Answer(name, size, Kind.ABSENT, reason=reason) for name in sorted(open_names)
        ]

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _next(self, wait_s: float) -> Answer | None:
        try:
            answer = self._answers.get(timeout=wait_s) if wait_s > 0 else self._answers.get_nowait()
        except queue.Empty:
            return None
        self._busy.discard(answer.witness)
        if answer.known is not None:
            self._known[answer.witness] = answer.known
        return answer

    def _bring(self, witness: Witness, signed: bytes, size: int, prove: Prove) -> None:
        try:
            answer = submit(
                witness.name,
                witness.key,
                signed,
                self._known[witness.name],
                prove,
                lambda body: self._send(witness, body),
            )
        except Exception as error:  # noqa: BLE001 - whoever waits for this witness is told
            answer = Answer(witness.name, size, Kind.ABSENT, reason=f"asking it failed: {error!r}")
        self._answers.put(answer)

    def _send(self, witness: Witness, body: bytes) -> Reply:
        url = f"{(witness.url or '').rstrip('/')}/add-checkpoint"
        try:
            with self._client.stream("POST", url, content=body) as response:
                data = bytearray()
                for part in response.iter_bytes():
                    data += part
                    if len(data) > ANSWER_BYTES_MAX:
                        raise OSError(f"its answer is longer than {ANSWER_BYTES_MAX} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OSError(str(error) or type(error).__name__) from error
        return Reply(response.status_code, bytes(data))
