"""A headless Chromium for tests: where it is, how it is started, and what is left out without one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]  # containers run as root and have no /dev/shm
LONG_MS = 60_000
expect.set_options(timeout=LONG_MS)
NAMES = ("chromium", "chromium-browser", "google-chrome")

CONTRAST = """() => {
  const channel = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (el) => {
    for (; el; el = el.parentElement) {
      const colour = rgb(getComputedStyle(el).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  const texts = 'h1, h2, h3, p, b, span, td, th, dt, dd, a, li, code, small, label, button';
  for (const el of document.querySelectorAll(texts)) {
    if (![...el.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const [one, two] = [light(rgb(getComputedStyle(el).color)), light(behind(el))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) bad.push(el.textContent.trim() + ' ' + ratio.toFixed(2));
  }
  return bad;
}"""
"""Finds texts that stand out too little from what is behind them."""


def do_without(what: str) -> NoReturn:
    """Leave a test out for want of something, where that is allowed."""
    if os.environ.get("ERPSYNC_REQUIRE_BROWSER"):
        pytest.fail(what)
    pytest.skip(what)


def chromium_path() -> str | None:
    """Return where a Chromium lies, None if there is none."""
    return os.environ.get("ERPSYNC_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def has_chinese_font() -> bool:
    """Whether this machine has glyphs for Chinese."""
    command = ["fc-list", ":lang=zh-cn"]
    return bool(shutil.which("fc-list") and subprocess.run(command, capture_output=True, check=True).stdout)


@contextmanager
def a_chromium() -> Iterator[Browser]:
    """Start a Chromium; the test is left out where there is none."""
    path = chromium_path()
    if not path:
        do_without("no Chromium on this machine (apt install chromium, or ERPSYNC_TEST_CHROMIUM=/path/to/it)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
