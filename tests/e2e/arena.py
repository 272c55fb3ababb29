"""A flash sale: three shops on real HTTP that show one scarce SKU, and real daemons that must not sell it twice."""

import os
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import func, select

from connectors.jd.sandbox import JdSandbox
from connectors.taobao.sandbox import TaobaoSandbox
from connectors.webhook_json.sandbox import SECRET, OwnShop, over_http
from erpsync.sdk.clock import SystemClock
from erpsync.sdk.sandbox import FaultPlan, SandboxServer, serve
from erpsync.store.db.engine import make_engine
from erpsync.store.tables import channel, orders
from tests.e2e.command_desk import Desk

CODE = "HOT-1"
LONG_S = 240
KEYS = {"keys": ["a" * 43 + "="], "index_key": "b" * 43 + "="}


def free_port() -> int:
    """Return a port of this machine that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Arena:
    """Three shops, their server, a configuration folder per node, and the daemons that run."""

    folder: Path
    database: str
    faults: float = 0.0
    seed: int = 1
    nodes: list[Path] = field(default_factory=list)
    running: dict[Path, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        clock = SystemClock()
        self.plans = [FaultPlan(self.seed + n, 0.0) for n in range(3)]
        self.taobao = TaobaoSandbox(clock=clock, faults=self.plans[0])
        self.jd = JdSandbox(clock=clock, faults=self.plans[1])
        self.own = OwnShop(clock=clock, faults=self.plans[2])
        self.engine = make_engine(self.database)
        self.server: SandboxServer = serve({"taobao": self.taobao, "jd": self.jd, "own": self.own}, "127.0.0.1", 0)

    def settings(self) -> dict[str, Mapping[str, Any]]:
        """Return the `settings` of each channel."""
        return {
            "taobao": {
                "gateway": f"{self.server.url('taobao')}/router/rest",
                "app_key": "12345678",
                "app_secret": "sandbox-secret",
                "session": "6100000sandbox-session",
            },
            "jd": {
                "gateway": f"{self.server.url('jd')}/routerjson",
                "app_key": "0A1B2C3D4E5F6071",
                "app_secret": "sandbox-secret",
                "access_token": "sandbox-access-token",
            },
            "own": {"secret": SECRET, "push_url": f"{self.server.url('own')}/push"},
        }

    def add_node(self) -> Path:
        """Write the configuration of one more node and return its folder."""
        node = self.folder / f"node{len(self.nodes) + 1}"
        (node / "channels").mkdir(parents=True)
        main = {
            "database": self.database,
            "migrate": "auto",
            "privacy": KEYS,
            "web": {"listen": f"127.0.0.1:{free_port()}"},
            "warehouses": [{"id": "SH"}],
            "defaults": {
                "poll": {"orders_s": 1, "refunds_s": 1, "overlap_s": 30, "auth_retry_s": 1, "listings_s": 5},
                "stock": {"settle_s": 0.5},
                "limits": {"calls_per_s": 500, "burst": 1000},
            },
        }
        (node / "erpsync.yaml").write_text(yaml.safe_dump(main), encoding="utf-8")
        kinds = {"taobao": "taobao", "jd": "jd", "own": "webhook_json"}
        for name, settings in self.settings().items():
            shop = {"id": name, "connector": kinds[name], "settings": dict(settings)}
            (node / "channels" / f"{name}.yaml").write_text(yaml.safe_dump(shop), encoding="utf-8")
        self.nodes.append(node)
        return node

    def erpsync(self, *arguments: str) -> str:
        """Run a command beside the daemons and return what it printed; no process of its own, that takes a second."""
        done = Desk(self.nodes[0]).run(*arguments)
        assert done.code == 0, done.err
        return done.out

    def stored(self) -> Counter[str]:
        """Return how many orders of each channel are stored, as cheap to ask as a daemon under load deserves."""
        query = select(channel.c.name, func.count()).join(orders, orders.c.channel_id == channel.c.id)
        with self.engine.connect() as connection:
            return Counter(dict(connection.execute(query.group_by(channel.c.name)).all()))

    def start(self, node: Path) -> None:
        """Start a node's daemon; its log goes to a file beside its configuration."""
        command = [sys.executable, "-m", "erpsync.cli.main", "--config", str(node), "run"]
        with (node / "daemon.log").open("ab") as log:
            self.running[node] = subprocess.Popen(command, stderr=log, stdout=log, env=dict(os.environ))
        self.own.deliver = self._deliver

    def kill(self, node: Path) -> None:
        """End a node's daemon as a power cut would."""
        process = self.running.pop(node)
        process.kill()
        process.wait()

    def _deliver(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Call the hook of whichever node answers."""
        for node in list(self.running):
            config = yaml.safe_load((node / "erpsync.yaml").read_text(encoding="utf-8"))
            status = over_http(f"http://{config['web']['listen']}/hooks/own")(body, headers)
            if status:
                return status
        return 0

    def close(self) -> None:
        """End everything."""
        for node in list(self.running):
            self.kill(node)
        self.server.close()
        self.engine.dispose()

    def shown(self) -> dict[str, int | None]:
        """Return what each shop shows of the scarce SKU."""
        return {
            "taobao": next(iter(self.taobao.stock().values()), None),
            "jd": next(iter(self.jd.stock().values()), None),
            "own": self.own.stock().get(CODE),
        }

    def buyers(self, each: int) -> list[threading.Thread]:
        """Return threads, one per shop, that buy one unit `each` times.

        The shops sell although erpsync lowers what they show: for every order the staff puts one more on the page, as
        they do in a flash sale that was promised.
        """

        def tmall() -> None:
            ref = self.taobao.find_ref(CODE)
            for _ in range(each):
                with self.taobao.lock:
                    self.taobao.shift_shown(ref, 1)
                    self.taobao.place_order([(CODE, 1)], pay=True)

        def jd() -> None:
            ref = self.jd.find_ref(CODE)
            for _ in range(each):
                with self.jd.lock:
                    self.jd.shift_shown(ref, 1)
                    self.jd.place_order([(CODE, 1)], pay=True)

        def own() -> None:
            for _ in range(each):
                self.own.shift_shown(CODE, 1)
                self.own.place_order((CODE, 1), paid=True)
            eventually(lambda: self.own.send() == 0)

        return [threading.Thread(target=each_shop, daemon=True) for each_shop in (tmall, jd, own)]


def eventually(true: Callable[[], bool], *, within_s: float = LONG_S) -> bool:
    """Return whether something becomes true within some time."""
    pause = threading.Event()
    return any(true() or pause.wait(0.25) for _ in range(int(within_s * 4)))
