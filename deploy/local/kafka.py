"""Apache Kafka on this machine: one broker that is its own controller (KRaft), data in a folder.

Only what one machine needs differs from a broker elsewhere: replication factors of 1, small internal topics, no delay before
the first rebalance, and a short broker session, because after ``kill -9`` a broker waits until its own old session runs out.
"""

from __future__ import annotations

import base64
import os
import socket
import struct
import subprocess
import time
import uuid
from pathlib import Path

from deploy.local.child import Child, tail
from deploy.local.jars import fetch_jars
from deploy.local.java import Java, find_java
from deploy.local.ports import HOST, free_port
from deploy.local.progress import Progress, Silent
from shared.errors import Unavailable

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
START_SECONDS = 120.0

SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
message.max.bytes={max_bytes}
replica.fetch.max.bytes={max_bytes}
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
"""

LOGGING = """\
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{yyyy-MM-dd'T'HH:mm:ss.SSSX}{UTC} %p %c{1} %m%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=INFO
"""


class LocalKafka:
    """A broker whose data live in *folder*; the same folder gives the same records again.

    *port* 0 or None takes a free one, kept over restarts of this object.
    """

    name = "kafka"

    def __init__(self, folder: Path, port: int | None = None, *, log: Path | None = None, heap_mb: int = 512) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.controller_port = free_port(taken={self.port})
        self.log = log or self.folder / "kafka.log"
        self._heap_mb = heap_mb
        self._child: Child | None = None

    @property
    def bootstrap(self) -> str:
        """``host:port`` for clients."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Number of the Java process, None before the first start."""
        return self._child.pid if self._child else None

    def alive(self) -> bool:
        """True while the process runs, ready or not."""
        return self._child is not None and self._child.alive()

    def start(self, progress: Progress | None = None) -> None:
        """Fetch what is missing, format the folder the first time, start, and return when the broker answers requests.

        Raises ``Misconfigured`` (no Java, a jar that is not the pinned one) or ``Unavailable`` (it did not come up; the end of its
        log is in the message).
        """
        progress = progress or Silent()
        jars, java = fetch_jars(progress), find_java()
        progress.begin("Starting Apache Kafka")
        began = time.monotonic()
        self._write_settings()
        command = self._command(java, jars)
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(command)
        self._child = Child([*command, "kafka.Kafka", str(self._settings)], log=self.log, env=self._environment(), cwd=self.folder)
        self._wait_until_ready()
        progress.done("Starting Apache Kafka", f"{self.bootstrap}, {time.monotonic() - began:.1f} s")

    def stop(self) -> None:
        """End the broker cleanly."""
        if self._child:
            self._child.stop()

    def kill(self) -> None:
        """``kill -9``."""
        if self._child:
            self._child.kill()

    @property
    def _settings(self) -> Path:
        return self.folder / "server.properties"

    def _write_settings(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._settings.write_text(
            SETTINGS.format(
                host=HOST,
                port=self.port,
                controller_port=self.controller_port,
                data=self.folder / "data",
                max_bytes=MAX_MESSAGE_BYTES,
            )
        )
        (self.folder / "log4j2.properties").write_text(LOGGING)

    def _command(self, java: Java, jars: list[Path]) -> list[str]:
        options = [f"-Xmx{self._heap_mb}m", "-Xms256m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"]
        # The second compiler takes a quarter of a core for minutes, and gives less than that back.
        options.append("-XX:TieredStopAtLevel=1")
        if java.major >= 22:  # the compression libraries are native
            options.append("--enable-native-access=ALL-UNNAMED")
        options.append(f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}")
        return [str(java.program), *options, "-cp", os.pathsep.join(map(str, jars))]

    def _format(self, command: list[str]) -> None:
        done = subprocess.run(  # noqa: S603
            [*command, "kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", str(self._settings)],
            capture_output=True,
            text=True,
            env=self._environment(),
            check=False,
        )
        if done.returncode:
            raise Unavailable(f"Kafka's folder {self.folder} could not be formatted: {(done.stderr or done.stdout)[-2000:]}")

    def _environment(self) -> dict[str, str]:
        """Our environment without what would change the Java machine behind our back."""
        return {name: value for name, value in os.environ.items() if name not in ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")}

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + START_SECONDS
        while not broker_answers(self.port):
            if not self.alive() or time.monotonic() > until:
                self.stop()
                raise Unavailable(f"Kafka did not start; the end of {self.log}:\n{tail(self.log)}")
            time.sleep(0.05)


def broker_answers(port: int) -> bool:
    """True when a broker on *port* answers an ApiVersions request; it does so only once it may serve clients."""
    request = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection((HOST, port), timeout=1.0) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            head = connection.recv(10)
    except OSError:
        return False
    return len(head) == 10 and struct.unpack(">iih", head)[1:] == (1, 0)


def _cluster_id() -> str:
    """A new cluster id: 16 random bytes in URL-safe base64, never with a leading dash, which the tool takes for an option."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        continue
    return text
