"""Currencies that exist, and how many digits of an amount are behind its point.

Why a table: an amount in a currency that does not exist is a misunderstanding, and three capital letters are no proof.
"""

from decimal import ROUND_CEILING, Decimal

from erpsync.sdk.errors import PayloadError

NONE_MEANT = "XXX"
"""Where no currency is meant: a refund's amount may be in that of its order."""

CURRENCIES = frozenset((
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF",
    "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHE", "CHF", "CHW", "CLF",
    "CLP", "CNY", "COP", "COU", "CRC", "CUC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB",
    "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HRK", "HTG", "HUF",
    "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD",
    "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU",
    "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN",
    "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD",
    "SHP", "SLE", "SLL", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY",
    "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "USN", "UYI", "UYU", "UYW", "UZS", "VED", "VES", "VND", "VUV", "WST",
    "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG", "ZWL",
))  # fmt: skip
"""Source: ISO 4217, list one, as Debian's iso-codes 4.15 has it, with XCG and ZWG which came later. Left out: metals,
units of account, and the codes for tests and for no currency."""

_DECIMALS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
    "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "CLF": 4, "UYW": 4,
}  # fmt: skip
"""Where a minor unit is no hundredth. Source: ISO 4217, list one, column "minor unit"."""


def require_currency(code: str, *, may_be_none: bool = False) -> None:
    """Raise `PayloadError` for a code that is no currency; `may_be_none` lets `XXX` pass."""
    if code not in CURRENCIES and not (may_be_none and code == NONE_MEANT):
        raise PayloadError(f"there is no currency {code[:3]!r}", path="currency")


def decimals(currency: str) -> int:
    """Return how many digits of an amount are behind its point."""
    return _DECIMALS.get(currency, 2)


def minor(amount: Decimal, currency: str) -> int:
    """Return an amount of whole units in minor ones, the next whole one where there is no such coin: 12.50 are 1250."""
    return int(amount.scaleb(decimals(currency)).to_integral_value(ROUND_CEILING))


def major(minor: int, currency: str) -> Decimal:
    """Return an amount of minor units in whole ones, with all digits behind its point: 1250 fen are 12.50."""
    return Decimal(minor).scaleb(-decimals(currency))
