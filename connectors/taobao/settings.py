"""What a Taobao or Tmall shop needs to be configured.

Why the trade types are a setting: the platform returns only a few types unless they are named, and adds new ones
without notice, so an operator must be able to name one more before the next release.
"""

from pydantic import Field

from erpsync.sdk.top import TopSettings

TRADE_TYPES = (
    "fixed",
    "auction",
    "guarantee_trade",
    "step",
    "cod",
    "b2c_cod",
    "ec",
    "auto_delivery",
    "independent_simple_trade",
    "independent_shop_trade",
    "shopex_trade",
    "netcn_trade",
    "external_trade",
    "instant_trade",
    "super_market_trade",
    "super_market_cod_trade",
    "o2o_offlinetrade",
    "nopaid",
    "eticket",
    "tmall_i18n",
    "pre_auth_type",
)
"""Types of trade that sell goods. Without `type` the platform returns guarantee_trade, auto_delivery, ec, cod and step.

Source: protocol note taobao.md sections 3.2 and 3.6; further values from the `type` parameter of
taobao.trades.sold.get in the public method reference.
"""


class TaobaoSettings(TopSettings):
    """The `settings` block of a channel with `connector: taobao`. Platform times are always Beijing time (GMT+8)."""

    trade_types: tuple[str, ...] = Field(
        default=TRADE_TYPES, min_length=1, description="types of trade that are read; what is not named never arrives"
    )
    company_codes: dict[str, str] = Field(
        default_factory=dict,
        description="the platform's code by our courier code, where its list differs from our table",
    )
    page_size: int = Field(default=100, ge=1, le=100, description="rows asked for in one list call, at most 100")
    tmc: bool = Field(default=False, description="read the message queue (TMC) and poll at once when something changed")
    tmc_group: str = Field(
        default="", max_length=32, description="message group; needed when several shops share one app key"
    )
