"""Between SF's words and ours. All pure; `PayloadError` names the field."""

from connectors.sf.mapping.bookings import Accepted, accepted_of, order_data, personal
from connectors.sf.mapping.labels import LabelFile, label_data, label_files
from connectors.sf.mapping.tracks import pushed_rows, raw_track, track_page

__all__ = [
    "Accepted",
    "LabelFile",
    "accepted_of",
    "label_data",
    "label_files",
    "order_data",
    "personal",
    "pushed_rows",
    "raw_track",
    "track_page",
]
