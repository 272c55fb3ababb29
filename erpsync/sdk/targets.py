"""Where a call that somebody else asked for may lead: not back to this machine, nor to its neighbours on the wire.

Why looked at when the connection is made: a name may lead elsewhere each time it is looked up, so only the address that
is really connected to tells.
"""

import ipaddress
import re
import socket
from collections.abc import Callable
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

Allowed = Callable[[str, int], bool]
"""Whether a host, as it was written, may be called at this port although it is local."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NOWHERE = "invalid"


class LocalTargetError(urllib3.exceptions.NewConnectionError):
    """The name leads to this machine or a link-local address, and was not allowed to."""


def is_local(host: str) -> bool:
    """Return whether an address in numbers, or localhost, is this machine's own or link-local."""
    name = host.lower().strip("[]").removesuffix(".").partition("%")[0]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None) or address
    return bool(inner.is_loopback or inner.is_link_local or inner.is_unspecified or inner.is_multicast)


def is_callable_name(host: str) -> bool:
    """Return whether a host may exist at all: an address, or a name that could be looked up.

    Source: RFC 1035 section 2.3.4 (lengths), RFC 6761 section 6.4 (a name that never leads anywhere).
    """
    name = host.lower().removesuffix(".")
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        pass
    else:
        return True
    try:
        labels = name.encode("idna").decode("ascii").split(".")
    except UnicodeError:
        return False
    whole = len(name) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    return whole and not labels[-1].isdecimal() and labels[-1] != _NOWHERE


class GuardedAdapter(HTTPAdapter):
    """The way to the network, except to local addresses that are not `allowed`."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make connections that look where they lead."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pool(HTTPConnectionPool, HTTPConnection, self._allowed),
            "https": _pool(HTTPSConnectionPool, HTTPSConnection, self._allowed),
        }


def _pool(pool: type[Any], connection: type[Any], allowed: Allowed) -> type[Any]:
    def _new_conn(self: Any) -> socket.socket:
        """Connect to the first address of the name, once none of them is local."""
        name = self._dns_host
        if not allowed(self.host, self.port):
            self._dns_host = _first_address(self, name)
        try:
            made: socket.socket = connection._new_conn(self)
        finally:
            self._dns_host = name  # by which the certificate is checked
        return made

    guarded = type(f"Guarded{connection.__name__}", (connection,), {"_new_conn": _new_conn})
    return type(f"Guarded{pool.__name__}", (pool,), {"ConnectionCls": guarded})


def _first_address(connection: Any, name: str) -> str:
    try:
        answers = socket.getaddrinfo(name, connection.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise urllib3.exceptions.NewConnectionError(connection, "the name leads nowhere") from error
    addresses = [str(address[0]) for *_, address in answers]
    if any(is_local(address) for address in addresses):
        raise LocalTargetError(connection, "leads to this machine or a link-local address")
    return addresses[0]
