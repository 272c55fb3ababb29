"""`erpsync demo`: real shops in small, a day of trade in half a minute, and a proof at the end."""

from erpsync.cli.demo.show import run

__all__ = ["run"]
