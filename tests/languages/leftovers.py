"""English that was left in a text which should be Chinese.

Why not every Latin letter: codes, names, commands and file names stay. A word is left over when no Chinese sentence of
ours uses it and it is not somebody's data.
"""

import getpass
import re
from functools import cache

from erpsync.languages.catalogue import read
from erpsync.store import tables
from erpsync.store.db.store import Store

DATA = "tmall flagship main jd internal dropfolder shop csv_drop taobao sqlite Merino socks pairs grey stocktaking"
DATA += f" SH GZ SF YTO GB system Shanghai English {getpass.getuser()} ana lin wang tests"
"""What tests of this folder put in: names of shops, warehouses, couriers, goods and people."""

_WORD = re.compile(r"(?<![\w.:/\\@#$-])[A-Za-z]{2,}(?![\w.:/\\@-]|=)")
_COMMANDS = re.compile(r"`[^`]*`|“[^”]*”|'[^']*'|\berpsync [^，；。（]*|--[a-z-]+")


def words_in(text: str) -> set[str]:
    """Return the English words of a text; commands and what stands in quotes left out."""
    return set(_WORD.findall(_COMMANDS.sub(" ", text)))


@cache
def kept() -> frozenset[str]:
    """Return the Latin words that our Chinese uses itself, such as SKU."""
    known = read("zh")
    return frozenset(word for text in (*known.plain.values(), *known.in_context.values()) for word in words_in(text))


def in_our_words(store: Store) -> None:
    """Put sentences of ours in place of what tests made up for tasks, letters and effects."""
    reason = "the channel changed the total of order S1; its amounts were taken as they are"
    error = "expected an amount like 12.50, found text"
    with store.begin() as tx:
        tx.execute(tables.task.update().values(reason=reason))
        tx.execute(tables.dead_letter.update().values(error=error, source="a.csv:17"))
        tx.execute(tables.outbox.update().where(tables.outbox.c.error != "").values(error="the channel is paused"))


def left_over(text: str, data: str = DATA) -> list[str]:
    """Return each Latin word in a text that should not be there, with what stands around it.

    Args:
        data: what was put in: its words may come out again.
    """
    seen = _COMMANDS.sub(lambda found: " " * len(found[0]), text)
    allowed = kept() | words_in(data)
    found = [match for match in _WORD.finditer(seen) if match[0] not in allowed]
    return [f"{match[0]}: …{text[max(0, match.start() - 30) : match.end() + 30]}…" for match in found]
