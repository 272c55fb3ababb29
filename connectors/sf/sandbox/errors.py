"""SF's refusals as the sandbox speaks them. Source: protocol note couriers.md sections 1.2 and 1.3."""

from collections.abc import Mapping

GATEWAY_TEXTS: Mapping[str, str] = {
    "A1001": "必传参数不可为空",
    "A1004": "无对应服务权限",
    "A1005": "流量受控",
    "A1006": "数字签名无效",
    "A1007": "重复请求",
    "A1099": "系统异常",
}


class GatewayRefusal(Exception):
    """The gateway lets a call not through, or does not know how it went."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ServiceRefusal(Exception):
    """A service does not do what it is asked for."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
