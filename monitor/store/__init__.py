"""What we remember.  ``Store`` is the seam: synchronous, small, with contract tests.

All methods block; ``pipeline`` calls them in the one thread that owns the write connection.
Every write is one ``BEGIN IMMEDIATE`` transaction.  Raises StoreBusy when locked or full (nothing
was written), StoreRefused when a person must act.
"""

from __future__ import annotations

from typing import Protocol

from monitor.store.protocols.incoming import IncomingStore
from monitor.store.protocols.kept import KeptStore
from monitor.store.protocols.outgoing import OutgoingStore
from monitor.store.protocols.storied import StoriedStore


class Store(IncomingStore, StoriedStore, OutgoingStore, KeptStore, Protocol):
    """Everything the pipeline remembers."""

    def hurry(self) -> None:
        """From any thread: no write waits for a lock any more, the program is about to end."""

    def is_in_place(self) -> bool:
        """Whether the file that is written is still the one at its path."""

    def close(self) -> None: ...
