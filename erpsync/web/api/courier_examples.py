"""What calls about couriers are answered with, as the description of the API shows it."""

WAYBILL = {
    "id": 71,
    "number": "SF1234567890123",
    "account": "sf",
    "carrier": "SF",
    "service": "",
    "state": "booked",
    "release": "R20260302000017",
    "parcel": 1,
    "key": "R20260302000017-1-1",
    "sort_code": "755-A12",
    "cost_minor": 1200,
    "currency": "CNY",
    "reason": "",
    "made_at": "2026-03-02T08:00:00Z",
    "sent_at": "2026-03-02T08:00:01Z",
    "booked_at": "2026-03-02T08:00:02Z",
    "ended_at": None,
}
