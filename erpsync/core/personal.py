"""What looks personal, in records of the log and in payloads that people are shown, and how it is hidden.

Why by names and by looks: platforms call the same thing by a dozen names, and a column that has shifted holds a phone
number under the name of a carrier. What is hidden too much can be looked up at its source; what is shown cannot be
taken back.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

HIDDEN = "***"
MOST_DEEP = 40
"""So deep nested values are shown; below it everything is hidden."""

PERSONAL = re.compile(
    r"(^|_)(recipients?|receiver|buyer|buyer_note|seller_note|invoice_note|notes|properties|phone|mobile|tel|address|province|city|district|name|email"
    r"|body|payload|params|headers|cookie|authorization|password|secret|token|session|sign|signature|app_key)$"
)
"""Names of values that a log never shows."""

_PATTERNS = (
    (re.compile(r"\[parameters: .*?\](?=\n|$)", re.DOTALL), f"[parameters: {HIDDEN}]"),
    (re.compile(r"DETAIL:.*"), f"DETAIL: {HIDDEN}"),
    (re.compile(r"://[^/\s:@]+:[^/\s@]+@"), f"://{HIDDEN}@"),
    (
        re.compile(r"(?i)\b(access_token|refresh_token|token|session|app_secret|secret|sign|password)=[^&\s'\"]+"),
        HIDDEN,
    ),
    (re.compile(r"(?<![\d-])(?:\+?86[- ]?)?[1１][3-9３-９]\d[- ]?\d{4}[- ]?\d{4}(?![\d-])"), HIDDEN),
    (re.compile(r"(?<![\d-])[0０]\d{2,3}-\d{7,8}(?![\d-])"), HIDDEN),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), HIDDEN),
)

# Words that names of fields are made of, whatever the platform: of people, where they live, what they say, and secrets.
_PEOPLE = (
    r"receivers?|recipients?|consignees?|buyers?|sellers?|customers?|payers?|contacts?|persons?|members?|users?|nick|nickname"
    r"|pin|openid|uid|oaid|realname|fullname|phones?|mobiles?|tel|telephone|fax|email|mail|alipay|wechat|weixin|qq|address"
    r"|addresses|addr|province|city|county|district|town|street|village|area|region|zip|zipcode|postcode|postal|memo|remarks?"
    r"|notes?|messages?|comments?|invoice|identity|idcard|id_card|id_no|cert|certificate|tax|birthday|lat|latitude|lng|longitude"
    r"|cookie|authorization|password|secret|token|session|sign|signature|ip|properties"
)
_PERSONAL_WORD = re.compile(rf"(?:^|_)(?:{_PEOPLE}|name)(?:_|$)")
_OF_GOODS = re.compile(
    r"(?:^|_)(?:sku|spu|goods|item|ware|product|shop|store|warehouse|courier|carrier|logistics|express)_name$"
)
_JOINED = re.compile(r"^(?:receiver|consignee|buyer|recipient)|(?:phone|mobile|address|email|username|realname)$")
_PERSONAL_CHINESE = re.compile(
    r"收货|收件|收貨|买家|買家|客户|顾客|会员|联系|姓名|名字|昵称|旺旺|手机|电话|電話|座机|邮箱|邮件|邮编|地址|省|市|区县|街道|乡镇|留言|备注"
    r"|身份证|证件|发票|税号|微信|支付宝|账号"
)
_LOOKS = (
    re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"),
    re.compile(r"(?<!\d)0\d{2,3}[- ]?\d{7,8}(?!\d)"),
    re.compile(r"\+\d[\d -]{7,}\d"),
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    re.compile(r"[省市区县旗州].{0,40}?(?:路|街|道|巷|弄|村|镇|乡|号|室|栋|幢|楼)"),
    re.compile(r"(?:先生|女士|小姐)"),
)
_ID_NUMBER = re.compile(r"(?<!\d)(\d{17})([\dXx])(?!\d)")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def scrubbed(text: str) -> str:
    """Return the text without telephone numbers, e-mail addresses, passwords, tokens and rows quoted by a driver."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def masked(value: Any, name: str = "", *, deep: int = 0) -> Any:
    """Return a value of a payload with everything hidden that is or looks personal; its shape and names stay.

    Args:
        name: under which the value stands; what it is made of decides first.
    """
    if value is None or isinstance(value, bool) or value == "":
        return value
    if deep > MOST_DEEP:
        return HIDDEN
    hidden = bool(name) and is_personal_name(name)
    if isinstance(value, Mapping):
        return {
            _shown_name(str(key)): masked(each, name if hidden else str(key), deep=deep + 1)
            for key, each in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [masked(each, name, deep=deep + 1) for each in value]
    if hidden or isinstance(value, bytes):
        return HIDDEN
    return _masked_text(value, deep) if isinstance(value, str) else HIDDEN if looks_personal(str(value)) else value


def _masked_text(text: str, deep: int) -> str:
    """Return a text, or JSON that stands in a text as platforms like to send it, with what is personal hidden."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            return HIDDEN
        return json.dumps(masked(inner, deep=deep + 1), ensure_ascii=False)
    return HIDDEN if looks_personal(text) else text


def _shown_name(name: str) -> str:
    return HIDDEN if looks_personal(name) else name


def is_personal_name(name: str) -> bool:
    """Whether what stands under this name is personal or secret, by the words it is made of."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_").replace(".", "_").replace(" ", "_")
    if _OF_GOODS.search(snake):
        return False
    return bool(_PERSONAL_WORD.search(snake) or _joined(snake) or _PERSONAL_CHINESE.search(name))


def _joined(snake: str) -> bool:
    """Whether a name without any gap, such as `receivername`, begins or ends with a word for people."""
    return bool(_JOINED.search(snake))


def looks_personal(text: str) -> bool:
    """Whether a text holds what looks like a phone, an e-mail address, a postal address or an identity number."""
    plain = text.translate(_WIDE)
    return any(look.search(plain) for look in _LOOKS) or any(map(_is_identity, _ID_NUMBER.finditer(plain)))


_WIDE = {ord("０") + digit: str(digit) for digit in range(10)} | {ord("＠"): "@", ord("－"): "-", ord("＋"): "+"}


def _is_identity(number: re.Match[str]) -> bool:
    """Whether a number of 18 places is a resident identity number: its last place checks the others (GB 11643)."""
    check = sum(int(digit) * weight for digit, weight in zip(number[1], _WEIGHTS, strict=True)) % 11
    return _CHECKS[check] == number[2].upper()
