"""Connections between two exchanges: few, not for long, the longest idle go first.

And TLS sessions of origins met before: taking one up again costs half a handshake.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict

from monitor.feeds.tls import Tls
from monitor.feeds.wire import Wire

Origin = tuple[str, str, int]  # scheme, host, port

LONGEST = 30.0  # seconds
SESSION_LIVES = 86_400.0  # seconds: where one is taken up, nobody looks at the certificate again
SESSIONS = 500  # origins, the first that are met: any other order would copy them for nothing


class Idle:
    """At most *most* connections."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._wires: OrderedDict[Wire, Origin] = OrderedDict()  # the longest idle first
        self._by_origin: dict[Origin, list[Wire]] = {}
        # With the time of the full handshake; None: it is of no use there.
        self._sessions: dict[Origin, tuple[ssl.SSLSession | None, float]] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    def take(self, origin: Origin) -> Wire | None:
        """The one that rested last, None if there is none."""
        there = self._by_origin.get(origin)
        if not there:
            return None
        wire = there[-1]
        self.drop(wire)
        return wire

    def give(self, origin: Origin, wire: Wire) -> None:
        """Keep *wire*, or close it where it is of no further use."""
        if wire.tls is not None:
            self._remember(origin, wire.tls)
        if self._closed or not wire.rest():
            wire.close()
            return
        wire.idle_since = asyncio.get_running_loop().time()
        self._wires[wire] = origin
        self._by_origin.setdefault(origin, []).append(wire)
        while len(self._wires) > self._most:
            self._end(next(iter(self._wires)))
        if self._sweep is None:
            self._sweep_in(LONGEST)

    def drop(self, wire: Wire) -> None:
        """*wire* is no longer here, if it ever was."""
        origin = self._wires.pop(wire, None)
        if origin is None:
            return
        there = self._by_origin[origin]
        there.remove(wire)
        if not there:
            del self._by_origin[origin]

    def session(self, origin: Origin) -> ssl.SSLSession | None:
        """One to take up, no older than a day: after it the certificate is looked at again."""
        session, since = self._sessions.get(origin, (None, -SESSION_LIVES))
        if since + SESSION_LIVES > asyncio.get_running_loop().time():
            return session
        self._sessions.pop(origin, None)
        return None

    def close(self) -> None:
        self._closed = True
        for wire in list(self._wires):
            self._end(wire)
        if self._sweep is not None:
            self._sweep.cancel()

    def _end(self, wire: Wire) -> None:
        self.drop(wire)
        wire.close()

    def _remember(self, origin: Origin, tls: Tls) -> None:
        if tls.resumed:
            return  # most servers let one be taken up many times
        now = asyncio.get_running_loop().time()
        if tls.offered:
            self._sessions[origin] = None, now  # it was not taken
        elif origin not in self._sessions and len(self._sessions) < SESSIONS:
            self._sessions[origin] = tls.session(), now

    def _sweep_in(self, seconds: float) -> None:
        self._sweep = asyncio.get_running_loop().call_later(seconds, self._swept)

    def _swept(self) -> None:
        """Close what has rested too long; come again when the next has."""
        now, self._sweep = asyncio.get_running_loop().time(), None
        for wire in list(self._wires):
            if wire.idle_since + LONGEST > now:
                self._sweep_in(wire.idle_since + LONGEST - now)
                return
            self._end(wire)
