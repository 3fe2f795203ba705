"""Apache Kafka's jars: the lock file, the cache, and fetching what is missing.

``deploy/kafka.lock`` names each jar by its Maven coordinate and SHA-256, no addresses. jgo fetches them in pure Python;
a file that does not match its checksum is never used.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local.progress import Progress, Silent
from shared.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from jgo.maven import Artifact, MavenContext

LOCK = Path(__file__).resolve().parent.parent / "kafka.lock"
KAFKA = "org.apache.kafka:kafka_2.13:4.3.0"
# Resolved apart: together with Kafka, log4j's own management would bring kafka-clients 3.8.
LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"
ATTEMPTS = 3


@dataclass(frozen=True, order=True)
class Jar:
    """One pinned jar: ``group:artifact:version`` and the SHA-256 of the file in hex."""

    coordinate: str
    sha256: str

    @property
    def file_name(self) -> str:
        """``artifact-version.jar``, as Maven names it."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def cache_folder() -> Path:
    """Where fetched parts are kept between runs: ``GUICHET_CACHE``, else ``~/.cache/guichet``."""
    return Path(os.environ.get("GUICHET_CACHE") or Path.home() / ".cache" / "guichet")


def parse_lock(text: str) -> tuple[Jar, ...]:
    """Read the lock file: a coordinate and ``sha256:…`` per line, ``#`` starts a comment.

    Raises ``Misconfigured`` with the line number.
    """
    jars = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or words[0].count(":") != 2 or not words[1].startswith("sha256:") or len(words[1]) != 71:
            raise Misconfigured(f"{LOCK.name} line {number}: expected 'group:artifact:version sha256:<64 hex digits>'.")
        jars.append(Jar(words[0], words[1].removeprefix("sha256:")))
    if not jars:
        raise Misconfigured(f"{LOCK.name} names no jar.")
    return tuple(jars)


def render_lock(jars: Iterable[Jar]) -> str:
    """The text of a lock file, sorted, so that a change is a small difference."""
    lines = "\n".join(f"{jar.coordinate} sha256:{jar.sha256}" for jar in sorted(jars))
    return f"# Apache Kafka and what it needs. Written by `python -m deploy.local lock`.\n{lines}\n"


def check(jar: Jar, file: Path) -> None:
    """Raise ``Misconfigured`` when *file* is not the jar that was pinned."""
    found = sha256_of(file)
    if found != jar.sha256:
        raise Misconfigured(f"{jar.file_name} has SHA-256 {found}, the lock file says {jar.sha256}: {file} is not used.")


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def fetch_jars(progress: Progress | None = None, *, folder: Path | None = None, lock: Path = LOCK) -> list[Path]:
    """Return the checked jars in the order of the lock file, after fetching those that are not in the cache.

    Several processes may do this at once: a jar appears in the cache whole or not at all.
    Raises ``Misconfigured`` on a checksum that differs, ``Unavailable`` when the registry does not answer.
    """
    progress = progress or Silent()
    jars = parse_lock(lock.read_text())
    folder = folder or cache_folder() / "kafka"
    missing = [jar for jar in jars if not (folder / jar.file_name).exists()]
    if missing:
        task = "Fetching Apache Kafka"
        progress.begin(task, total=len(missing))
        folder.mkdir(parents=True, exist_ok=True)
        with _trusted_certificates(), ThreadPoolExecutor(max_workers=8) as pool:
            for _ in pool.map(lambda jar: _fetch(jar, folder), missing):
                progress.advance(task)
        progress.done(task, f"{len(missing)} jars")
    for jar in jars:
        check(jar, folder / jar.file_name)
    return [folder / jar.file_name for jar in jars]


def resolve_lock() -> tuple[Jar, ...]:
    """Ask the registry which jars Kafka needs, fetch them and compute their checksums (a minute)."""
    from jgo.parse import Coordinate

    with tempfile.TemporaryDirectory() as folder, _trusted_certificates():
        context = _maven(Path(folder))
        artifacts: dict[tuple[str, str], Artifact] = {}
        for endpoint in (LOG_BINDING, KAFKA):  # where both name a jar, Kafka's version stays
            given, needed = context.resolver.resolve([context.create_dependency(replace(Coordinate.parse(endpoint), scope="compile"))])
            for dependency in (*given, *(d for d in needed if d.scope in ("compile", "runtime"))):
                artifacts[dependency.groupId, dependency.artifactId] = dependency.artifact
        return tuple(Jar(f"{a.groupId}:{a.artifactId}:{a.version}", sha256_of(a.resolve())) for a in artifacts.values())


def _fetch(jar: Jar, folder: Path) -> None:
    """Fetch into a folder of our own, check, then move into place in one step."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as scratch:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                file = Path(_maven(Path(scratch, str(attempt))).create_dependency(jar.coordinate).artifact.resolve())
                break
            except (OSError, RuntimeError) as exc:
                if attempt == ATTEMPTS:
                    raise Unavailable(f"{jar.coordinate} could not be fetched: {exc}") from exc
        check(jar, file)
        file.replace(folder / jar.file_name)


@contextmanager
def _trusted_certificates() -> Iterator[None]:
    """Have jgo's HTTP library trust what Python trusts on a machine with certificates of its own (``SSL_CERT_FILE``)."""
    own = os.environ.get("SSL_CERT_FILE")
    if not own or "REQUESTS_CA_BUNDLE" in os.environ:
        yield
        return
    os.environ["REQUESTS_CA_BUNDLE"] = own
    try:
        yield
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]


def _maven(folder: Path) -> MavenContext:
    """Maven through jgo, with the mirrors a user has set in jgo's own settings."""
    try:
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext
    except ImportError as exc:
        raise Misconfigured("Fetching Kafka needs the 'local' extra: pip install 'guichet-hub[local]'.") from exc
    logging.getLogger("jgo").setLevel(logging.ERROR)
    repositories = GlobalSettings.load().repositories
    return MavenContext(repo_cache=folder, remote_repos=repositories or None, timeout=30)
