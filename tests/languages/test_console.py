"""The console in Chinese: whose language a page speaks, the switch, and that no English is left on any page."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
import requests

from erpsync.languages import language
from erpsync.web.language import chosen, preferred
from tests.e2e.command_desk import open_desk
from tests.e2e.test_one_zone import trouble
from tests.languages.leftovers import DATA, in_our_words, left_over
from tests.support.audit_shop import VAULT, ruled_shop
from tests.support.visitor import COOKIE, session_of
from tests.support.web_shop import AppServer, fill, open_shop, serve

RULES = f"{DATA} big brush remote near heavy gift apart freight frozen old EMS POST DBL"
"""What the rules of this shop are called, and their words."""

PAGES = (
    "",
    "audit",
    "audit?rule=big",
    "audit?rule=brush",
    "audit?rule=settle-time",
    "audit?rule=old",
    "rules",
    "rules?matched=1",
    "rules?order=S20260302000900",
    "rules?order=none",
    "orders/S20260302000900",
    "orders/S20260302000901",
    "orders?rule=big",
    "orders?tag=偏远",
    "live",
    "orders",
    "orders?status=held",
    "orders?q=LINEN",
    "orders?q=zzzz",
    "orders?q=13812345678",
    "orders?status=held&reason=refund_open&channel=tmall-flagship",
    "orders?sku=LINEN-W-L&from=2026-03-01&to=2026-03-02&warehouse=SH",
    "orders/new",
    "orders/S20260302000001",
    "tasks",
    "tasks?closed=1",
    "tasks?kind=recall",
    "dead-letters",
    "dead-letters?group=gone",
    "dead-letters/1",
    "trail",
    "trail?order=none",
    "trail?actor=nobody",
    "reconciliation",
    "stock",
    "stock?only=owed&warehouse=SH",
    "stock?text=zzzz",
    "stock/LINEN-W-L",
    "stock/TEA-LJ-250",
    "listings",
    "listings?state=all",
    "listings?text=zzzz",
    "bundles",
    "bundles?text=zzzz",
    "nowhere",
    "channels",
    "channels/tmall-flagship",
    "channels/jd-main",
    "configuration",
    "configuration?compare=1",
    "me",
    "messages",
    "tokens",
    "users",
    "users/ana",
    "users/lin",
)


@dataclass(frozen=True)
class Pages:
    server: AppServer
    session: str

    def get(self, path: str, *, stranger: bool = False, **headers: str) -> requests.Response:
        """Ask for a page, with a session unless as a stranger; headers by name with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if not stranger:
            named["Cookie"] = "; ".join(filter(None, (self.session, named.get("Cookie"))))
        answer = requests.get(f"{self.server.url}{path}", headers=named, timeout=60, allow_redirects=False)
        answer.encoding = "utf-8"
        return answer


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    desk = open_desk(tmp_path_factory.mktemp("shop"))
    store, empty = open_shop(f"sqlite:///{desk.folder}/var/erpsync.db", vault=VAULT)
    fill(store, empty)
    ctx = ruled_shop(store, empty)
    trouble(store, ctx, "tmall-flagship")
    in_our_words(store)
    session_of(store, "lin", role="operate")
    server, _ = serve(store, ctx, keep_s=0)
    yield Pages(server, f"{COOKIE}={session_of(store)}")
    server.stop(2)
    store.close()


def words_of(answer: requests.Response) -> str:
    """Return what a page says, hints and labels too, without its marks and without what is set as a command."""
    text = re.sub(r"<code>.*?</code>|<script.*?</script>", " ", answer.text, flags=re.DOTALL)
    hints = re.findall(r'(?:aria-label|title|placeholder)="([^"]*)"', text)
    return html.unescape(re.sub(r"\s+", " ", " ".join([re.sub(r"<[^>]+>", " ", text), *hints])))


@pytest.mark.parametrize("path", PAGES)
def test_no_english_is_left_on_a_page(pages: Pages, path: str) -> None:
    said = words_of(pages.get(path, Accept_Language="zh-CN,zh;q=0.9,en;q=0.8"))

    assert left_over(said, RULES) == []
    assert re.search("[\u4e00-\u9fff]{2}", said)


def test_the_log_in_speaks_the_browsers_language(pages: Pages) -> None:
    said = words_of(pages.get("login", stranger=True, Accept_Language="zh"))

    assert left_over(said) == []
    assert "登录" in said


def test_a_page_says_which_language_it_is_in(pages: Pages) -> None:
    assert '<html lang="zh-CN">' in pages.get("orders", Accept_Language="zh").text
    assert '<html lang="en">' in pages.get("orders").text


def test_what_was_chosen_counts_more_than_what_the_browser_prefers(pages: Pages) -> None:
    page = pages.get("orders", Accept_Language="en", Cookie="other=1; erpsync_lang=zh")

    assert "订单" in words_of(page)


def test_the_switch_leads_back_to_the_page_and_is_kept(pages: Pages) -> None:
    [there] = re.findall(r'href="(/language\?to=zh[^"]*)"', pages.get("login", stranger=True).text)

    answer = pages.get(html.unescape(there).lstrip("/"), Referer=f"{pages.server.url}login?next=/orders")

    assert (answer.status_code, answer.headers["location"]) == (303, "/")  # whoever comes from the log-in is led on
    assert re.fullmatch(
        r"erpsync_lang=zh; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax", answer.headers["set-cookie"]
    )


def test_whoever_has_logged_in_switches_by_a_form_for_it_changes_what_is_kept_of_them(pages: Pages) -> None:
    page = pages.get("orders?status=held").text

    assert re.search(r'<form class="tongues" action="/me/language" method="post">.*name="language" value="zh"', page)
    assert "/language?to=" not in page


def test_a_language_that_is_not_there_is_not_kept(pages: Pages) -> None:
    answer = pages.get("language?to=fr", Referer=f"{pages.server.url}orders")

    assert (answer.status_code, answer.headers["location"]) == (303, "/orders")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("place", ["https://evil.example/orders", "//evil.example", "", "orders"])
def test_the_switch_leads_nowhere_else(pages: Pages, place: str) -> None:
    answer = pages.get("language?to=zh&next=//evil.example", Referer=place)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    ("accepted", "codes"),
    [
        ("", []),
        ("zh-CN,zh;q=0.9,en;q=0.8", ["zh", "zh", "en"]),
        ("en;q=0.5, zh-TW;q=0.7", ["zh", "en"]),
        ("fr, de;q=0.9", []),
        ("zh;q=0, en;q=0.1", ["en"]),
        ("zh;q=x, *", []),
    ],
)
def test_a_browsers_preferences_are_read_by_weight(accepted: str, codes: list[str]) -> None:
    assert list(preferred(accepted)) == codes


def test_a_cookie_that_cannot_be_read_chooses_nothing() -> None:
    assert chosen("\x00=;;=zh; erpsync_lang", "").code == "en"
    assert chosen("erpsync_lang=fr", "zh").code == "zh"


@pytest.mark.parametrize(
    ("code", "amount", "currency", "said"),
    [
        ("zh", "1288.00", "CNY", "¥1,288.00"),
        ("zh", "1200", "JPY", "JP¥1,200"),
        ("en", "1288.00", "CNY", "CN¥1,288.00"),
        ("en", "-2.50", "EUR", "-€2.50"),
    ],
)
def test_money_is_written_as_its_reader_writes_it(code: str, amount: str, currency: str, said: str) -> None:
    assert language(code).money(Decimal(amount), currency) == said


def test_a_day_is_written_as_its_reader_writes_it() -> None:
    day = date(2026, 3, 2)

    assert [language(code).day(day, year=False) for code in ("en", "zh")] == ["2 Mar", "3月2日"]
    assert [language(code).day(day, year=True) for code in ("en", "zh")] == ["2 Mar 2026", "2026年3月2日"]


def test_the_figures_of_programs_stay_english(pages: Pages) -> None:
    text = pages.get("status.json", Accept_Language="zh").text

    assert not re.search("[\u4e00-\u9fff]", text.replace("拼多多", ""))


def test_no_page_is_kept_by_a_browser_in_another_language(pages: Pages) -> None:
    assert pages.get("orders").headers["cache-control"] == "no-store"
