"""Provinces, cities and districts of China: which one an address names, whatever of its name people leave out.

Why former names count: people live on in a district that was renamed or merged ten years ago, and couriers find it.
What is no district of the table (development zones, towns of cities without districts) is no mistake either.

Source: GB/T 2260, the codes of administrative divisions of the People's Republic of China, as of 2025, in
`regions.csv`; names of 2000 to 2019 that are gone since stand there as former ones. A former name is that of the
division which has its code now.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from unicodedata import normalize

MUNICIPALITIES = ("11", "12", "31", "50")
"""Beginnings of the codes of 北京, 天津, 上海 and 重庆, which are province and city at once."""

_PEOPLES = (
    "各|蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|拉祜|水|东乡|纳西|景颇|柯尔克孜|土"
    "|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|普米|塔吉克|怒|俄罗斯|鄂温克|保安|裕固|独龙|鄂伦春"
)
_AUTONOMOUS = re.compile(
    rf"(?P<name>.{{2,}}?)(?:(?:{_PEOPLES})族)*(?:蒙古|哈萨克|柯尔克孜|维吾尔|锡伯|塔吉克)?自治[区州县旗]"
)
_KIND = re.compile(r"(?P<name>.{2,}?)(?:特别行政区|地区|林区|新区|省|市|区|县|旗|盟|州)")
_ITSELF = re.compile(r"|市辖区|县|城区|郊区|郊县|.*直辖.*")
_NO_DISTRICT = re.compile(
    r"|市辖区|城区|[其它他]{2}区?|.*(?:开发区|高新区|园区|新区|新城|产业区|管理区|示范区|保税区|景区|度假区|经开区|合作区|农场)"
)


class Row(NamedTuple):
    """A row of the table: `former_names` apart by spaces, `former` not empty where it is no division any more."""

    code: str
    parent: str
    name: str
    former_names: str
    former: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A place by its code and its names; city and district are empty where the address does not say which."""

    code: str
    province: str
    city: str = ""
    district: str = ""


def short(name: str) -> str:
    """Return a name without what kind of division it is: 广西 for 广西壮族自治区, 黔南 for 黔南布依族苗族自治州."""
    plain = re.sub(r"\s", "", normalize("NFKC", name))
    found = _AUTONOMOUS.fullmatch(plain) or _KIND.fullmatch(plain)
    return found["name"] if found else plain


@dataclass(slots=True)
class Regions:
    """The table of divisions, made for looking up."""

    names: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    _full: dict[str, dict[str, str]] = field(default_factory=dict)
    _short: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Regions":
        """Return the table of these rows."""
        table = cls()
        ordered = sorted(rows, key=lambda row: row.former)  # where two share a name, the one of today has it
        for row in ordered:
            table.names[row.code], table.parents[row.code] = row.name, row.parent
            table._add(row, row.name)
        for row in ordered:
            for name in row.former_names.split():
                table._add(row, name)
        return table

    def _add(self, row: Row, name: str) -> None:
        self._full.setdefault(row.parent, {}).setdefault(name, row.code)
        self._short.setdefault(row.parent, {}).setdefault(short(name), row.code)

    def find(self, province: str, city: str, district: str) -> Region | None:
        """Return the place of these names; None where one is no name, or lies elsewhere than in the other.

        A province may be missing where the city says it; `city` may be a district of a municipality, or a county of
        the province, as platforms with other levels write it.
        """
        if not province.strip():
            return self._of_city(city, district)
        top = self._child("", province)
        if top is None or not self._full.get(top):
            return None if top is None else self.place(top)
        if top[:2] in MUNICIPALITIES:
            return self._in_municipality(top, city, district)
        place = self._child(top, city)
        if place is not None:
            return self._within(place, district)
        if _ITSELF.fullmatch(city.strip()):
            return self._county(top, district) if district.strip() else self.place(top)
        return self._county(top, city)

    def is_known(self, name: str) -> bool:
        """Whether any division has this name, or had it."""
        return any(short(name) in named for named in self._short.values())

    def beginning(self, address: str) -> tuple[Region, str] | None:
        """Return the place with whose full names a text begins, and the rest; None where no two of them begin it."""
        text = re.sub(r"\s", "", normalize("NFKC", address))
        top = self._first(self._full.get("", {}), text)
        if top is None:
            return None
        rest = text.removeprefix(top[0])
        if top[1][:2] in MUNICIPALITIES:
            rest = rest.removeprefix(top[0])
        inner = self._first(self._full.get(top[1], {}), rest)
        if inner is None:
            return None
        rest = rest.removeprefix(inner[0])
        last = self._first(self._full.get(inner[1], {}), rest)
        return (self.place(inner[1]), rest) if last is None else (self.place(last[1]), rest.removeprefix(last[0]))

    @staticmethod
    def _first(named: Mapping[str, str], text: str) -> tuple[str, str] | None:
        fitting = [name for name in named if text.startswith(name)]
        return (name := max(fitting, key=len), named[name]) if fitting else None

    def _of_city(self, city: str, district: str) -> Region | None:
        found = [self.find(self.names[top], city, district) for top in self._full.get("", {}).values()]
        places = {region for region in found if region is not None and region.city}
        return places.pop() if len(places) == 1 else None

    def _in_municipality(self, top: str, city: str, district: str) -> Region | None:
        if _ITSELF.fullmatch(city.strip()) or self._child("", city) == top:
            return self._within(top, district)
        return self._within(top, city)

    def _within(self, place: str, district: str) -> Region | None:
        if not self._full.get(place):
            return self.place(place)
        inner = self._child(place, district)
        if inner is None and _NO_DISTRICT.fullmatch(district.strip()) and not self._is_district(district):
            return self.place(place)
        return None if inner is None else self.place(inner)

    def _is_district(self, name: str) -> bool:
        plain = normalize("NFKC", name).strip()
        return plain not in ("", "市辖区", "城区") and any(plain in named for named in self._full.values())

    def _county(self, top: str, name: str) -> Region | None:
        """Return the one county of a province that is called so, whatever its city."""
        cities = [top, *self._full[top].values()]
        found = {code for city in cities if (code := self._child(city, name)) is not None}
        return self.place(found.pop()) if len(found) == 1 else None

    def _child(self, parent: str, name: str) -> str | None:
        plain = re.sub(r"\s", "", normalize("NFKC", name))
        exact = self._full.get(parent, {}).get(plain)
        return exact or self._short.get(parent, {}).get(short(plain))

    def place(self, code: str) -> Region:
        """Return the division of this code; raises `KeyError`."""
        *inner, top = self._line(code)
        names = [self.names[each] for each in reversed(inner)]
        if top[:2] in MUNICIPALITIES:
            names.insert(0, self.names[top])
        city, district, *_ = [*names, "", ""]
        return Region(code=code, province=self.names[top], city=city, district=district)

    def _line(self, code: str) -> Iterator[str]:
        while code:
            yield code
            code = self.parents[code]
