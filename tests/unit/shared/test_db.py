"""Which errors of the database are worth waiting for: those that are the server's, never those that are a record's."""

from __future__ import annotations

import asyncpg
import pytest

from shared.db import StoreConflict, translated
from shared.errors import StoreUnavailable


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InvalidPasswordError,
        asyncpg.InvalidCatalogNameError,
        asyncpg.ReadOnlySQLTransactionError,
        asyncpg.InsufficientPrivilegeError,
        asyncpg.UndefinedTableError,
        asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError,
        ConnectionRefusedError,
        TimeoutError,
    ],
)
def test_what_is_wrong_with_the_server_makes_a_batch_wait(error: type[Exception]) -> None:
    assert type(translated(error("no"))) is StoreUnavailable


@pytest.mark.parametrize("error", [asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError])
def test_a_twin_that_was_faster_is_a_conflict(error: type[Exception]) -> None:
    assert type(translated(error("no"))) is StoreConflict


@pytest.mark.parametrize("error", [asyncpg.NotNullViolationError, asyncpg.CharacterNotInRepertoireError, asyncpg.UndefinedColumnError])
def test_what_is_wrong_with_a_record_or_with_us_is_not_waited_for(error: type[Exception]) -> None:
    bug = error("no")
    assert translated(bug) is bug
