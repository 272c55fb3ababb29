"""The platform's refusals as the sandbox speaks them."""

from collections.abc import Mapping
from typing import Any

TEXTS: Mapping[str, tuple[str, str]] = {
    "1": ("服务不可用", "Service unavailable"),
    "2": ("限制时间内调用失败次数", "Call limited"),
    "7": ("缺少时间戳参数", "Missing timestamp"),
    "8": ("非法的时间戳参数", "Invalid timestamp"),
    "11": ("缺少签名参数", "Missing signature"),
    "12": ("无效签名", "Invalid signature"),
    "14": ("缺少方法名参数", "Missing method"),
    "15": ("不存在的方法名", "Invalid method"),
    "18": ("缺少access_token参数", "Missing access_token"),
    "19": ("无效access_token", "Invalid access_token"),
    "20": ("缺少app_key参数", "Missing app_key"),
    "21": ("无效app_key", "Invalid app_key"),
    "60": ("参数错误", "Invalid parameter"),
    "65": ("平台连接后端服务超时", "Backend time-out"),
    "67": ("平台连接后端服务未知异常", "Backend unknown error"),
    "73": ("请在云内调用", "Must be called from the JD cloud"),
}
"""Source: protocol note jd.md section 8."""


class JdError(Exception):
    """A refusal by the gateway."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(text or code)
        self.code = code
        self.text = text

    def document(self, request_id: str) -> dict[str, Any]:
        """Return the answer's body."""
        chinese, english = TEXTS.get(self.code, ("系统错误", "System error"))
        error = {"code": self.code, "zh_desc": f"{chinese} {self.text}".strip(), "en_desc": english}
        return {"error_response": {**error, "request_id": request_id}}


def invalid(name: str) -> JdError:
    """Return the refusal of a parameter."""
    return JdError("60", name)
