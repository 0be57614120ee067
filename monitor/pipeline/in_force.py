"""What is in force now: configuration and rules, swapped whole, never changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.rules.load import RuleSet
from monitor.settings import Config


@dataclass(slots=True, kw_only=True)
class InForce:
    """The one mutable thing that the loops share; each reads it anew for every feed."""

    config: Config
    rules: RuleSet
    rules_since: Mapping[str, datetime] = field(default_factory=dict)
