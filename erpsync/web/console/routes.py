"""The addresses of all pages, and the page for an address that leads nowhere."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from erpsync.web.access.door import Guarded, visit_of
from erpsync.web.api.problems import problem
from erpsync.web.console.attention.letters import Letters
from erpsync.web.console.attention.tasks import Tasks
from erpsync.web.console.attention.trail import Trail
from erpsync.web.console.audit.desk import Desk
from erpsync.web.console.audit.rules import Rules
from erpsync.web.console.desk.board import Board
from erpsync.web.console.desk.papers import Printing
from erpsync.web.console.desk.release import OneRelease
from erpsync.web.console.desk.scans import Scans
from erpsync.web.console.goods.bundles import Bundles
from erpsync.web.console.goods.listings import Listings
from erpsync.web.console.goods.sku import OneSku
from erpsync.web.console.goods.sku_acts import SkuActs
from erpsync.web.console.goods.stock import Stock
from erpsync.web.console.kit import Kit
from erpsync.web.console.orders.deeds import Deeds
from erpsync.web.console.orders.export import Export
from erpsync.web.console.orders.find import Search
from erpsync.web.console.orders.kept_views import KeptViews
from erpsync.web.console.orders.marks import Marks
from erpsync.web.console.orders.order import OneOrder
from erpsync.web.console.orders.orders import Orders
from erpsync.web.console.orders.own import OwnOrders
from erpsync.web.console.orders.ship_many import ShipMany
from erpsync.web.console.orders.shipping import Shipping
from erpsync.web.console.orders.wishes import Wishes
from erpsync.web.console.overview import Overview
from erpsync.web.console.system.account import Account
from erpsync.web.console.system.channels import Channels
from erpsync.web.console.system.configuration import Configuration
from erpsync.web.console.system.messages import Messages
from erpsync.web.console.system.reconciliation import Reconciliation
from erpsync.web.console.system.tokens import Tokens
from erpsync.web.console.system.users import Users
from erpsync.web.live import Live


def routes(kit: Kit) -> list[Guarded]:
    """Return the addresses of all pages, each with the role that it takes; the first that fits answers."""
    many = (KeptViews(kit), Deeds(kit), ShipMany(kit), OwnOrders(kit), Export(kit))
    orders = (Orders(kit), Search(kit), *many, Shipping(kit), Marks(kit), Wishes(kit), OneOrder(kit))
    goods = (Stock(kit), SkuActs(kit), OneSku(kit), Listings(kit), Bundles(kit))
    audit = (Desk(kit), Rules(kit))
    desk = (Board(kit), Scans(kit), Printing(kit), OneRelease(kit))
    attention = (Tasks(kit), Letters(kit), Trail(kit))
    people = (Users(kit), Account(kit), Tokens(kit))
    system = (Channels(kit), Reconciliation(kit), Configuration(kit), Messages(kit), *people)
    pages = (Overview(kit), Live(kit), *orders, *audit, *desk, *goods, *attention, *system)
    return [address for page in pages for address in page.routes()]


def answer_error(kit: Kit, request: Request, error: Exception) -> Response:
    """Answer an address or request that leads nowhere."""
    if not isinstance(error, HTTPException):
        raise error
    if request.url.path.startswith("/api/"):
        return problem(error.status_code, error.detail, headers=error.headers)
    if request.url.path.startswith("/hooks/"):
        return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
    page = {"status_code": error.status_code, "said": error.detail}
    answer = kit.pages.answer("error.html", page, visit_of(request), error.status_code)
    answer.headers.update(error.headers or {})
    return answer
