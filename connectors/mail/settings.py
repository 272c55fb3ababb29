"""What a mailbox needs to be configured."""

from email.headerregistry import Address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from erpsync.sdk.roles import ConnectorSettings


def _address(text: str) -> str:
    try:
        parsed = Address(addr_spec=text)
    except (ValueError, IndexError) as error:
        raise ValueError("must be a mail address such as sales@example.com") from error
    if not parsed.username or "." not in parsed.domain or not text.isascii():
        raise ValueError("must be a mail address such as sales@example.com")
    return text


MailAddress = Annotated[str, AfterValidator(_address)]


class MailSettings(ConnectorSettings):
    """The `settings` block of a channel with `connector: mail`."""

    host: str = Field(pattern=r"^[A-Za-z0-9.:-]+$", description="name of the mail server")
    port: int = Field(465, ge=1, le=65535, description="its port: 465 for tls, 587 for starttls")
    tls: Literal["tls", "starttls", "none"] = Field(
        "tls", description="tls from the first byte, starttls, or none, which takes no password"
    )
    user: str = Field("", description="name to log in with, mostly the address; empty is without log-in")
    password: SecretStr | None = Field(None, description="its password; with QQ and 163 an authorisation code")
    sender: MailAddress = Field(description="address that the mail comes from")
    to: tuple[MailAddress, ...] = Field(min_length=1, max_length=50, description="addresses that get it")
    ca_file: Path | None = Field(None, description="certificates to trust, if the server's are of no public authority")
    timeout_s: float = Field(20, ge=1, le=60, description="seconds that the server may take for each answer")

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> Self:
        if self.tls == "none" and (self.user or self.password):
            raise ValueError("tls must be tls or starttls where there is a user: the password could be read on the way")
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password go together")
        return self
