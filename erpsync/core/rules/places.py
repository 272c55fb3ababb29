"""Provinces and cities as rules name them, and the zones made of them.

Why without what follows a name (省, 市, 自治区): platforms and people write 新疆 and 新疆维吾尔自治区, and mean one
place.
"""

from collections.abc import Mapping
from functools import lru_cache

from erpsync.core.facts import UNKNOWN, Unknown, Word, plain
from erpsync.core.rules.model import Zones

PROVINCES = (
    "北京", "天津", "上海", "重庆", "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江",
    "安徽", "福建", "江西", "山东", "河南", "湖北", "湖南", "广东", "海南", "四川", "贵州",
    "云南", "陕西", "甘肃", "青海", "台湾", "内蒙古", "广西", "西藏", "宁夏", "新疆", "香港",
    "澳门",
)  # fmt: skip
"""Source: GB/T 2260, divisions of the first level by their short names."""

_BEHIND = ("维吾尔自治区", "壮族自治区", "回族自治区", "特别行政区", "自治区", "省", "市")


@lru_cache(maxsize=10_000)
def short_place(name: str) -> str:
    """Return the name of a province or city without what such a place is called."""
    name = plain(name).strip()
    for end in _BEHIND:
        if name.endswith(end) and len(name) - len(end) >= 2:
            return name[: -len(end)]
    return name


class ZoneMap:
    """Which zones a place belongs to."""

    def __init__(self, zones: Zones) -> None:
        whole: dict[str, set[str]] = {}
        parts: dict[str, dict[str, set[str]]] = {}
        for zone, places in zones.items():
            for province, city in places:
                if city:
                    cities = parts.setdefault(short_place(province), {})
                    cities.setdefault(short_place(city), set()).add(zone)
                else:
                    whole.setdefault(short_place(province), set()).add(zone)
        self._whole: Mapping[str, frozenset[str]] = {name: frozenset(found) for name, found in whole.items()}
        self._parts: Mapping[str, Mapping[str, frozenset[str]]] = {
            name: {city: frozenset(found) | self._whole.get(name, frozenset()) for city, found in cities.items()}
            for name, cities in parts.items()
        }

    def of(self, province: Word, city: Word) -> frozenset[str] | Unknown:
        """Return the zones of a place; unknown where the city that would tell is not known."""
        if isinstance(province, Unknown):
            return UNKNOWN
        name = short_place(province)
        if cities := self._parts.get(name):
            if isinstance(city, Unknown):
                return UNKNOWN
            if found := cities.get(short_place(city)):
                return found
        return self._whole.get(name, frozenset())
