"""Health check of a container: exits 0 when the process beside it answers 200 to ``/health/ready``, 1 when not.

Standard library only, because it runs every few seconds.
"""

from __future__ import annotations

import http.client
import os
import sys


def ready(port: int, timeout_seconds: float = 2.0) -> bool:
    """Ask the process on this host."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_seconds)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if ready(int(os.environ.get("GUICHET_PORT", "8080"))) else 1)
