"""What a person sees while parts are fetched and started."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress


class Progress(Protocol):
    """Told of tasks by their text; may be called from several threads."""

    def begin(self, task: str, total: int | None = None) -> None:
        """A task starts; *total* counts its steps, None where nobody knows."""
        ...

    def advance(self, task: str, steps: int = 1) -> None:
        """Some steps of a task that was begun are done."""
        ...

    def done(self, task: str, note: str = "") -> None:
        """The task is over; *note* says how it went."""
        ...


class Silent:
    """Progress that nobody watches."""

    def begin(self, task: str, total: int | None = None) -> None:
        """Nothing is shown."""

    def advance(self, task: str, steps: int = 1) -> None:
        """Nothing is shown."""

    def done(self, task: str, note: str = "") -> None:
        """Nothing is shown."""


class Lines:
    """One line per finished task, for logs and pipes."""

    def begin(self, task: str, total: int | None = None) -> None:
        """A line is written when the task is done."""

    def advance(self, task: str, steps: int = 1) -> None:
        """A line is written when the task is done."""

    def done(self, task: str, note: str = "") -> None:
        """Write the line."""
        print(f"{task}: {note or 'done'}", file=sys.stderr, flush=True)


class Bars:
    """Bars on a terminal, one per task."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def begin(self, task: str, total: int | None = None) -> None:
        """Show a bar; it moves to and fro where the total is unknown."""
        self._tasks[task] = self._bars.add_task(task, total=total, note="")

    def advance(self, task: str, steps: int = 1) -> None:
        """Move the bar."""
        self._bars.advance(self._tasks[task], steps)

    def done(self, task: str, note: str = "") -> None:
        """Fill the bar and put the note beside it."""
        if task not in self._tasks:
            self.begin(task)
        shown = self._bars.tasks[self._tasks[task]]
        total = shown.total or max(shown.completed, 1)
        self._bars.update(self._tasks[task], total=total, completed=total, note=note)


@contextmanager
def shown(console: Console | None = None) -> Iterator[Progress]:
    """Give bars on a terminal and plain lines elsewhere, both on standard error."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}"),
    )
    with RichProgress(*columns, console=console) as bars:
        yield Bars(bars)
