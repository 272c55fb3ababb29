"""Presets for the exports sellers download most: which header holds which field and what a status text means.

Why lists of headers: platforms rename columns between versions of the same export. A profile never demands more than
the fields an order cannot do without; columns the operator names in the configuration go before a profile's.

Source: header lines of files that sellers share. The Taobao names of number, amounts, address and times are those of
a public set of 28,010 Tmall orders of February 2020; the Pinduoduo amounts, quantity and times are as scripts that
read such exports name them. The other headers are not confirmed by a file and stand beside alternatives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from erpsync.sdk.sheets import tidy
from erpsync.sdk.types import OrderState

ORDER_FIELDS = (
    "external_id",
    "line_id",
    "status",
    "updated_at",
    "placed_at",
    "paid_at",
    "channel_sku",
    "title",
    "qty",
    "price",
    "total",
    "paid",
    "refunded",
    "freight",
    "discount",
    "currency",
    "recipient",
    "phone",
    "province",
    "city",
    "district",
    "address",
    "buyer",
    "buyer_note",
    "seller_note",
    "seller_flag",
    "properties",
    "refund_status",
)
RefundWord = Literal["none", "open", "closed", "granted", "decided"]
SHIPMENT_FIELDS = ("order", "carrier", "tracking", "line_id", "qty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Headers by field, states by status text, of refunds too, and formats of instants, tried in order."""

    columns: Mapping[str, tuple[str, ...]]
    status_map: Mapping[str, OrderState] = field(default_factory=dict)
    refund_status_map: Mapping[str, RefundWord] = field(default_factory=dict)
    datetime_formats: tuple[str, ...] = ()


GENERIC = Profile(columns={name: (name,) for name in ORDER_FIELDS})
SHIPMENTS = Profile(columns={name: (name,) for name in SHIPMENT_FIELDS})

TAOBAO = Profile(
    columns={
        "external_id": ("订单编号", "主订单编号"),
        "line_id": ("子订单编号",),
        "status": ("订单状态",),
        "placed_at": ("订单创建时间",),
        "paid_at": ("订单付款时间",),
        "channel_sku": ("商家编码", "外部系统编号"),
        "title": ("标题", "宝贝标题", "商品标题"),
        "qty": ("购买数量", "宝贝总数量", "宝贝数量"),
        "price": ("价格", "商品价格"),
        "total": ("总金额",),
        "paid": ("买家实际支付金额",),
        "refunded": ("退款金额",),
        "freight": ("买家应付邮费",),
        "recipient": ("收货人姓名",),
        "phone": ("联系手机", "联系电话"),
        "address": ("收货地址",),
        "buyer": ("买家会员名",),
        "buyer_note": ("买家留言",),
        "seller_note": ("订单备注", "卖家备注", "商家备注", "备注"),
        "seller_flag": ("旗帜", "备注旗帜"),
        "properties": ("商品属性", "宝贝属性"),
        "refund_status": ("退款状态",),
    },
    refund_status_map={
        "没有申请退款": "none",
        "没有退款": "none",
        "无退款": "none",
        "退款关闭": "closed",
        "退款成功": "granted",
    },
    status_map={
        "等待买家付款": OrderState.UNPAID,
        "买家已付款，等待卖家发货": OrderState.PAID,
        "等待卖家发货": OrderState.PAID,
        "卖家部分发货": OrderState.PAID,
        "卖家已发货，等待买家确认": OrderState.SHIPPED,
        "买家已签收": OrderState.SHIPPED,
        "交易成功": OrderState.COMPLETED,
        "交易关闭": OrderState.CANCELLED,
        "付款以后用户退款成功，交易自动关闭": OrderState.CANCELLED,
        "付款以前，卖家或买家主动关闭交易": OrderState.CANCELLED,
        "没有创建支付宝交易": OrderState.UNPAID,
        "国际信用卡支付付款确认中": OrderState.UNPAID,
        "定金未付尾款未付": OrderState.UNPAID,
        "定金已付尾款未付": OrderState.UNPAID,
    },
)

JD = Profile(
    columns={
        "external_id": ("订单号", "订单编号"),
        "status": ("订单状态",),
        "placed_at": ("下单时间",),
        "paid_at": ("付款确认时间", "付款时间"),
        "channel_sku": ("商家SKUID", "商家SKU", "货号", "商品ID"),
        "title": ("商品名称",),
        "qty": ("订购数量", "商品数量"),
        "price": ("京东价", "商品单价"),
        "total": ("应付金额", "订单金额"),
        "freight": ("运费金额", "运费"),
        "recipient": ("客户姓名", "收货人姓名"),
        "phone": ("联系电话", "收货人电话"),
        "address": ("客户地址", "收货地址"),
        "buyer": ("下单帐号", "下单账号"),
        "buyer_note": ("订单备注", "买家备注"),
        "seller_note": ("商家备注", "卖家备注"),
        "seller_flag": ("备注旗帜", "旗帜"),
        "properties": ("商品属性", "规格"),
    },
    status_map={
        "等待付款": OrderState.UNPAID,
        "等待付款确认": OrderState.UNPAID,
        "待付款": OrderState.UNPAID,
        "待出库": OrderState.PAID,
        "待发货": OrderState.PAID,
        "已出库": OrderState.SHIPPED,
        "待收货": OrderState.SHIPPED,
        "等待收货": OrderState.SHIPPED,
        "等待出库": OrderState.PAID,
        "正在出库": OrderState.PAID,
        "等待发货": OrderState.PAID,
        "等待确认收货": OrderState.SHIPPED,
        "完成": OrderState.COMPLETED,
        "已完成": OrderState.COMPLETED,
        "(删除)等待出库": OrderState.CANCELLED,
        "(删除)等待付款": OrderState.CANCELLED,
        "已取消": OrderState.CANCELLED,
    },
)

PDD = Profile(
    columns={
        "external_id": ("订单号",),
        "status": ("订单状态",),
        "placed_at": ("订单成交时间", "拼单成功时间"),
        "paid_at": ("支付时间",),
        "channel_sku": ("商家编码-规格维度", "商家编码-SKU维度", "商家编码-商品维度", "样式ID"),
        "title": ("商品",),
        "qty": ("商品数量(件)",),
        "total": ("用户实付金额(元)", "商家实收金额(元)"),
        "freight": ("邮费(元)",),
        "recipient": ("收货人", "收件人"),
        "phone": ("手机", "联系电话"),
        "province": ("省",),
        "city": ("市",),
        "district": ("区",),
        "address": ("街道", "详细地址"),
        "buyer_note": ("买家留言",),
        "seller_note": ("商家备注",),
        "seller_flag": ("备注旗帜", "旗帜"),
        "properties": ("商品规格",),
        "refund_status": ("售后状态",),
    },
    refund_status_map={
        "无售后或售后取消": "none",
        "无售后": "none",
        "售后取消": "closed",
        "售后关闭": "closed",
        "退款成功": "granted",
    },
    status_map={
        "待付款": OrderState.UNPAID,
        "待支付": OrderState.UNPAID,
        "待成团": OrderState.UNPAID,
        "拼团中": OrderState.UNPAID,
        "待发货": OrderState.PAID,
        "已成团，待发货": OrderState.PAID,
        "部分发货": OrderState.PAID,
        "已发货": OrderState.SHIPPED,
        "已发货，待签收": OrderState.SHIPPED,
        "已发货，待收货": OrderState.SHIPPED,
        "已发货，退款成功": OrderState.SHIPPED,
        "已签收，退款成功": OrderState.SHIPPED,
        "已收货，退款成功": OrderState.SHIPPED,
        "已签收": OrderState.COMPLETED,
        "已收货": OrderState.COMPLETED,
        "交易成功": OrderState.COMPLETED,
        "已取消": OrderState.CANCELLED,
        "交易已取消": OrderState.CANCELLED,
        "拼单失败": OrderState.CANCELLED,
        "已取消，退款成功": OrderState.CANCELLED,
        "未发货，退款成功": OrderState.CANCELLED,
        "未成交，退款成功": OrderState.CANCELLED,
    },
)

DOUYIN = Profile(
    columns={
        "external_id": ("主订单编号", "订单编号"),
        "line_id": ("子订单编号",),
        "status": ("订单状态",),
        "placed_at": ("订单提交时间",),
        "paid_at": ("支付完成时间",),
        "channel_sku": ("商家编码",),
        "title": ("选购商品", "商品名称"),
        "qty": ("商品数量",),
        "price": ("商品单价", "商品金额"),
        "freight": ("运费",),
        "recipient": ("收件人", "收货人"),
        "phone": ("收件人手机号", "手机号"),
        "province": ("省",),
        "city": ("市",),
        "district": ("区",),
        "address": ("详细地址",),
        "buyer_note": ("买家留言",),
        "seller_note": ("商家备注",),
        "seller_flag": ("旗帜颜色", "旗帜"),
        "properties": ("商品规格", "规格"),
        "refund_status": ("售后状态",),
    },
    refund_status_map={
        "无售后": "none",
        "售后关闭": "closed",
        "退款成功": "granted",
        "售后完成": "granted",
        "已全额退款": "granted",
        "已退款": "granted",
    },
    status_map={
        "待支付": OrderState.UNPAID,
        "待付款": OrderState.UNPAID,
        "待确认": OrderState.UNPAID,
        "已支付": OrderState.PAID,
        "备货中": OrderState.PAID,
        "待发货": OrderState.PAID,
        "部分发货": OrderState.PAID,
        "已发货": OrderState.SHIPPED,
        "已收货": OrderState.COMPLETED,
        "已完成": OrderState.COMPLETED,
        "已取消": OrderState.CANCELLED,
        "已关闭": OrderState.CANCELLED,
    },
)


FLAGS: Mapping[str, int] = {"无": 0, "灰": 0, "红": 1, "黄": 2, "绿": 3, "蓝": 4, "紫": 5}
"""The seller's flag by its colour, as exports name it: 红, 红色, 红旗."""


def flag_of(text: str) -> int | None:
    """Return the number of a seller's flag, given as such or as its colour; None when it makes no sense."""
    if text.isascii() and text.isdigit() and len(text) <= 2:
        return int(text)
    return FLAGS.get(text[:1])


def status_key(text: str) -> str:
    """Return a status text as it is looked up: commas of both widths are one, letters of both sizes too."""
    return tidy(text).casefold().replace("，", ",")


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {"generic": GENERIC, "taobao": TAOBAO, "jd": JD, "pdd": PDD, "douyin": DOUYIN}
)
STATUS_WORDS = frozenset(
    status_key(word) for word in (*OrderState, *(word for profile in PROFILES.values() for word in profile.status_map))
)
"""Texts that are a status on some platform, and so nobody's name."""


def is_status(text: str) -> bool:
    """Whether a case-folded text is a status on some platform, or one in Chinese with more around it."""
    return text in STATUS_WORDS or any(word in text for word in STATUS_WORDS if len(word) >= 3 and not word.isascii())
