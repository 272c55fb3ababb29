"""Parcels to be booked, in every test of couriers alike."""

from erpsync.sdk.types import BookedParcel, BookingRequest, ParcelGoods, Recipient, Sender

PERSON = ("李雷", "13800138000", "漕溪北路1号5室")
SENDER = Sender(
    name="上海仓", phone="021-64001234", province="上海市", city="上海市", district="闵行区", address="申长路99号"
)


def booking(key: str, *, carrier: str, parcels: int = 1, **fields: object) -> BookingRequest:
    """Return a booking of one cup a parcel."""
    name, phone, address = PERSON
    cup = BookedParcel(goods=(ParcelGoods(name="茶杯", qty=1),), weight_g=620, volume_cm3=1200)
    given = {
        "key": key,
        "carrier": carrier,
        "sender": SENDER,
        "recipient": Recipient(
            name=name, phone=phone, province="上海市", city="上海市", district="徐汇区", address=address
        ),
        "parcels": (cup,) * parcels,
        **fields,
    }
    return BookingRequest(**given)  # type: ignore[arg-type]
