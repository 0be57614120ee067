"""What is kept and cared for: searching, what is too old, rule sets, notes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monitor.model import Found, RuleSetRecord
from monitor.store.retention import Text
from monitor.store.search import Wanted


class KeptStore(Protocol):
    """Implemented in ``store.kept``."""

    # --- search
    def search(self, wanted: Wanted) -> list[Found]:
        """Entries with these words."""

    def index_new(self) -> None:
        """Make searchable what was stored since the last time."""

    def index_older(self, limit: int) -> int:
        """Make up to *limit* entries searchable that an older program stored; how many."""

    def unindexed(self) -> int:
        """How many of those there are yet: the oldest entries."""

    # --- what is too old, and the file itself
    def old_texts(self, before: datetime, most: int) -> list[Text]:
        """Texts from before then that nobody needs, up to *most*."""

    def empty_texts(self, texts: Sequence[Text], before: datetime) -> None:
        """Empty those of them that are still old and unneeded; identities stay."""

    def tidy_index(self, *, begin: bool) -> bool:
        """Write a little of the search index anew, so that its file room is used again.

        *begin* at the first of a row of calls; False: nothing is left to do.
        """

    def newest_date(self) -> datetime | None:
        """The newest date that a publisher gave for one of the last entries."""

    def fold_log(self) -> bool:
        """Shorten what is kept beside the file; False: a reader is in the way."""

    def refresh_statistics(self) -> None: ...

    # --- rules
    def save_rule_set(self, record: RuleSetRecord) -> None: ...

    def last_rule_set(self) -> RuleSetRecord | None: ...

    # --- notes: small facts that must survive a restart ("welcomed desk-slack")
    def note(self, name: str) -> str | None: ...

    def set_note(self, name: str, value: str | None) -> None: ...
