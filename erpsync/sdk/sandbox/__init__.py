"""The platform's side of a connector, for tests, simulation, `erpsync sandbox` and the demo.

A connector author subclasses `Sandbox`, keeps the platform's state in it and implements `answer`. The object is
mounted in-process (`HttpClient(mount=sandbox.handle)`) or served over real sockets (`serve({"shop": sandbox})`).

Why one function `handle`: the same code then plays the platform in a unit test, in the simulation and for a browser,
and a seeded `FaultPlan` stands in one place between the wire and the platform's logic.
"""

from erpsync.sdk.sandbox.base import ConnectionLost, Sandbox, SandboxRequest, SandboxResponse
from erpsync.sdk.sandbox.faults import COURIER_FAULTS, PLATFORM_FAULTS, TRANSPORT_FAULTS, Fault, FaultPlan
from erpsync.sdk.sandbox.server import SandboxServer, serve

__all__ = [
    "COURIER_FAULTS",
    "PLATFORM_FAULTS",
    "TRANSPORT_FAULTS",
    "ConnectionLost",
    "Fault",
    "FaultPlan",
    "Sandbox",
    "SandboxRequest",
    "SandboxResponse",
    "SandboxServer",
    "serve",
]
