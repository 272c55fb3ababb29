"""What pages of the shipping desk say of codes."""

from collections.abc import Mapping

from erpsync.sdk.carriers import CARRIERS

RELEASE_TONES: Mapping[str, str] = {
    "told": "tone-move",
    "kept": "tone-warn",
    "recalled": "tone-bad",
    "shipped": "tone-done",
}
"""How a state of a release looks, where it is not a quiet one."""

RELEASE_WORDS: Mapping[str, str] = {
    "pending": "not given out yet",
    "unsure": "in doubt",
    "told": "to be sent",
    "recalled": "take it out",
    "kept": "could not be stopped",
    "refused": "refused by the warehouse",
    "dropped": "never given out",
    "stopped": "stopped in time",
    "shipped": "has left",
}
WAVE_WORDS: Mapping[str, str] = {
    "open": "not printed",
    "printed": "printing has begun",
    "done": "wave is done",
    "dropped": "dropped unprinted",
}
SCAN_WORDS: Mapping[str, str] = {
    "elsewhere": "with a warehouse that has no desk",
    "label_used": "its label left with another parcel",
    "left": "has left before",
    "no_label": "waits for the label of the courier",
    "other_label": "the label of another parcel",
    "recalled": "must not leave",
    "replaced": "another release takes its place",
    "spare": "a number that no parcel has",
    "stopped": "was stopped",
    "unknown": "no number of ours",
    "void_label": "a label that was given back",
}
"""Why a scan was refused, by the code in the trail."""

WAYBILL_WORDS: Mapping[str, str] = {
    "spare": "bought in advance",
    "wanted": "to be booked",
    "unsure": "no answer yet",
    "handed": "number follows",
    "booked": "has its number",
    "used": "left with it",
    "cancelling": "to be void",
    "cancelled": "is void",
    "refused": "refused by the courier",
}
GROUND_WORDS: Mapping[str, str] = {"wish": "was wished for", "cheapest": "was the cheapest", "priority": "came first"}
"""Why a courier takes a parcel."""

PAPER_WORDS = {"pick": "Pick list", "slip": "Slips", "label": "Labels", "pack": "Packing lists"}
ONE_PAPER_WORDS = {"slip": "Slip", "label": "Label", "pack": "Packing list"}
WORDS = {
    "release_tones": RELEASE_TONES,
    "release_words": RELEASE_WORDS,
    "wave_words": WAVE_WORDS,
    "scan_words": SCAN_WORDS,
    "paper_words": PAPER_WORDS,
    "one_paper": ONE_PAPER_WORDS,
    "couriers": CARRIERS,
}
"""What every page of the desk is given."""
