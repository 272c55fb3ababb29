"""What sets pages for the web server: kept warm, and made anew when a reload names other fonts."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from erpsync.papers.papers import Papers
from erpsync.papers.style import DocumentSettings
from erpsync.settings import Config


class Press(NamedTuple):
    """What pages are set with, and how they are to look."""

    papers: Papers
    settings: DocumentSettings


class PaperRoom:
    """Lends what sets pages; threads may share it.

    Args:
        config: the configuration in force; None where there is none, then papers look as they do unasked.
    """

    def __init__(self, config: Callable[[], Config | None]) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._papers: Papers | None = None
        self._made_of: tuple[tuple[Path, ...], Path | None] = ((), None)

    def press(self) -> Press:
        """Return what sets pages by the configuration in force."""
        config = self._config()
        settings = DocumentSettings() if config is None else config.documents
        wanted = (settings.fonts, None if config is None else config.templates)
        with self._lock:
            if self._papers is None or wanted != self._made_of:
                if self._papers is not None:
                    self._papers.close()
                self._papers, self._made_of = Papers(*wanted), wanted
            return Press(self._papers, settings)

    def close(self) -> None:
        """End the process that sets pages."""
        with self._lock:
            if self._papers is not None:
                self._papers.close()
