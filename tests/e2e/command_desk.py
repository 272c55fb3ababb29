"""An operator at the command line: a configuration folder, the real `main`, what it prints."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from erpsync.cli.main import main

CONFIG = """
database: {database}
timezone: Asia/Shanghai
web: {{listen: 127.0.0.1:0}}
warehouses:
  - {{id: SH, priority: 1, safety_stock: 1}}
  - {{id: GZ, priority: 2}}
defaults: {{stock: {{settle_s: 0}}}}
"""
CHANNEL = """
id: {id}
connector: csv_drop
poll: {{backfill_days: 7}}
settings: {{folder: {id}/in, out_folder: {id}/out, profile: generic, settle_s: 0}}
"""
HEADER = "external_id,line_id,status,placed_at,paid_at,channel_sku,title,qty,price,recipient,phone,address"
ORDERS = """
1001,a,paid,2026-03-02 12:01,2026-03-02 12:02,A,亚麻短袖衬衫,2,129.00,王小明,13800138000,浙江省杭州市文一西路969号
1002,a,paid,2026-03-02 12:03,2026-03-02 12:04,B,socks,9,10.00,李娜,13900139000,上海市世纪大道1号
1003,a,unpaid,2026-03-02 12:05,,A,亚麻短袖衬衫,1,129.00,张伟,13700137000,北京市长安街1号
1004,a,paid,2026-03-02 12:06,2026-03-02 12:07,新品-红,新品,1,5.00,陈静,13600136000,深圳市南山区1号
1005,a,paid,2026-03-02 12:08,2026-03-02 12:09,A,亚麻短袖衬衫,x,129.00,刘洋,13500135000,广州市天河区1号
"""


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as the one JSON value it has to be."""
        return json.loads(self.out)


class Desk:
    """A configuration folder and the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str) -> Ran:
        """Run a command as `erpsync --config FOLDER WORDS`."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["--config", str(self.folder), *words])
        return Ran(code, out.getvalue(), err.getvalue())

    def json(self, *words: str) -> Any:
        """Run a command that must succeed and return the JSON it prints."""
        ran = self.run(*words, "--json")
        assert (ran.code, ran.err) == (0, "")
        return ran.json

    def apart(self, *words: str, said: str | None = None, **environ: str) -> Ran:
        """Run a command in a process of its own; `said` is what it reads on its standard input."""
        command = [sys.executable, "-m", "erpsync.cli.main", "--config", str(self.folder), *words]
        known = os.environ | environ
        done = subprocess.run(command, input=said, capture_output=True, text=True, check=False, env=known)
        return Ran(done.returncode, done.stdout, done.stderr)

    def write(self, name: str, text: str) -> str:
        """Write a file into the folder and return its path."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return str(file)

    def drop(self, text: str, *, name: str = "orders.csv", channel: str = "shop") -> None:
        """Drop a file of orders."""
        self.write(f"{channel}/in/{name}", f"{HEADER}\n{text.strip()}\n")


def set_up(folder: Path, *, database: str = "sqlite:///var/erpsync.db", channels: tuple[str, ...] = ("shop",)) -> Desk:
    """Return a desk with a configuration of drop folders."""
    desk = Desk(folder)
    desk.write("erpsync.yaml", CONFIG.format(database=database))
    for channel in channels:
        desk.write(f"channels/{channel}.yaml", CHANNEL.format(id=channel))
        for name in ("in", "out"):
            (folder / channel / name).mkdir(parents=True, exist_ok=True)
    return desk


def open_desk(folder: Path) -> Desk:
    """Return such a desk whose database has its tables and no rows."""
    desk = set_up(folder)
    assert desk.run("migrate").code == 0
    return desk


def copy_of(desk: Desk, folder: Path) -> Desk:
    """Return a desk of one's own that was what another is."""
    shutil.copytree(desk.folder, folder)
    return Desk(folder)


def trade(desk: Desk) -> Desk:
    """Return the desk with a day's orders: 1001 allocated, 1002 short, 1003 unpaid, 1004 unmapped, 1005 unreadable."""
    assert desk.run("migrate").code == 0
    counts = desk.write("counts.csv", "warehouse,sku,on_hand\nSH,A,6\nSH,B,5\n")
    assert desk.run("stock", "import", counts).code == 0
    desk.drop(ORDERS)
    ran = desk.apart("run", "--once")
    assert ran.code == 0, ran.err
    return desk


def files_in(folder: Path) -> set[str]:
    """Return the names of all files below a folder."""
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
