"""What an account with SF Express needs to be configured."""

from typing import Literal

from pydantic import Field, SecretStr

from erpsync.sdk.roles import ConnectorSettings

PRODUCTION_GATEWAY = "https://bspgw.sf-express.com/std/service"


class SfSettings(ConnectorSettings):
    """The `settings` block of a channel with `connector: sf`."""

    gateway: str = Field(
        default=PRODUCTION_GATEWAY, pattern=r"^https?://[^\s/?#]+\S*$", description="address of Fengqiao's gateway"
    )
    partner_id: str = Field(pattern=r"^\S+$", max_length=64, description="customer code of the app (partnerID)")
    checkword: SecretStr = Field(min_length=1, description="check word of the app; it signs every call")
    digest: Literal["md5", "simple_md5", "sm3"] = Field(
        default="md5", description="how calls are signed, as chosen for the app: md5 (standard), simple_md5 or sm3"
    )
    monthly_card: str = Field(pattern=r"^\d{10}$", description="monthly account that pays, 10 digits in quotes")
    express_type: int = Field(
        default=2,
        ge=1,
        le=100_000,
        description="SF's number of the product (expressTypeId), where a booking names none",
    )
    payer: Literal["sender", "recipient", "third_party"] = Field(default="sender", description="who pays the freight")
    call_courier: bool = Field(default=False, description="a booking calls a courier to fetch the parcel")
    cod_account: str = Field(
        default="",
        max_length=32,
        description="account that cash on delivery is paid into; without it parcels with cash on delivery are refused",
    )
    label_template: str = Field(
        default="",
        max_length=64,
        description="template of the label in SF's cloud print; empty for fm_150_standard_ and the customer code",
    )
    push_secret: SecretStr | None = Field(
        default=None,
        min_length=24,
        description="what stands behind the channel in the address that SF pushes routes to; SF signs nothing",
    )

    @property
    def template(self) -> str:
        """The template that labels are made with."""
        return self.label_template or f"fm_150_standard_{self.partner_id}"
