"""What an account with Kuaidi100 needs to be configured."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from erpsync.sdk.carriers import CarrierCode
from erpsync.sdk.roles import ConnectorSettings

ADDRESS = r"^https?://[^\s/?#]+\S*$"


class Kuaidi100Settings(ConnectorSettings):
    """The `settings` block of a channel with `connector: kuaidi100`.

    With `customer` it says where parcels are, with `secret` it books them.
    """

    key: SecretStr = Field(min_length=1, description="key of the company's account (授权 key)")
    customer: str = Field(min_length=1, description="the account's number for queries (customer)")
    secret: SecretStr | None = Field(
        default=None, min_length=1, description="secret of the account; with it waybills are booked"
    )
    carrier: CarrierCode | None = Field(default=None, description="our code of the courier that carries what is booked")
    partner_id: str = Field(default="", description="account or monthly account with that courier (partnerId)")
    partner_key: SecretStr | None = Field(default=None, description="its password, where the courier gave one")
    partner_secret: SecretStr | None = Field(default=None, description="its secret, where the courier gave one")
    partner_name: str = Field(default="", description="its name, where the courier wants it")
    net: str = Field(
        default="", description="the courier's site, or how a platform lent the account: taobao, cainiao, jdalpha, …"
    )
    code: str = Field(default="", description="number that carries the waybills (code), where the courier gave one")
    check_man: str = Field(default="", description="courier's person who carries the waybills (checkMan)")
    tb_net: str = Field(default="", description="NAME,NUMBER of the site, where a lent account has several (tbNet)")
    service: str = Field(default="", description="the courier's product, as 标准快递; that of a booking counts more")
    payer: Literal["sender", "recipient", "third_party", "monthly"] = Field(
        default="monthly", description="who pays the freight; monthly: the sender, by the month"
    )
    template: str = Field(default="", description="id of the label's template (tempId); without one no label is made")
    callback_url: str | None = Field(
        default=None, pattern=ADDRESS, description="public address of /hooks/ID, called when a parcel moves"
    )
    salt: SecretStr | None = Field(
        default=None, min_length=16, description="signs those calls; any text of 16 characters or more"
    )
    company_codes: dict[CarrierCode, str] = Field(
        default_factory=dict, description="Kuaidi100's code by our code of a courier, where it differs from our table"
    )
    query_url: str = Field(
        default="https://poll.kuaidi100.com/poll/query.do", pattern=ADDRESS, description="address of queries"
    )
    subscribe_url: str = Field(
        default="https://poll.kuaidi100.com/poll", pattern=ADDRESS, description="address of subscriptions"
    )
    label_url: str = Field(
        default="https://api.kuaidi100.com/label/order", pattern=ADDRESS, description="address of waybill calls"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.callback_url is None) != (self.salt is None):
            raise ValueError("callback_url and salt go together: a call that nobody signs is not believed")
        if self.secret is not None and self.carrier is None:
            raise ValueError("carrier is missing: waybills are booked with one courier")
        return self
