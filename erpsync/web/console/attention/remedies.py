"""What each kind of task means, what a person does about it, and which buttons answer it.

Why beside `core.advice` and not from it: that one names commands for whoever is at a shell; here the same is a button.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from erpsync.store.views.values import Json

DONE = "Done: close it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One kind of task.

    Args:
        means: what has happened, in one sentence.
        do: what to do about it, in one sentence.
        done: the button that answers it, in words that say what comes of it.
        arrived: the button for "it is there", of what was sent without an answer.
        at: the page on which it is done, if there is one; `{channel}` and `{sku}` are filled in.
        there: what leads to that page.
    """

    means: str
    do: str
    done: str = DONE
    arrived: str = ""
    at: str = ""
    there: str = ""

    def place(self, task: Json) -> str:
        """Return the address of the page on which this task is done, "" where there is none."""
        channel, sku = task["channel"], task["sku"]
        if ("{channel}" in self.at and not channel) or ("{sku}" in self.at and not sku):
            return ""
        return self.at.format(channel=quote(channel or "", safe=""), sku=quote(sku or "", safe=""))


_CHANNEL = {"at": "/channels/{channel}", "there": "Go to the shop"}
_STOCK = {"at": "/stock/{sku}", "there": "Look at this SKU"}

REMEDIES: Mapping[str, Remedy] = {
    "auth": Remedy(
        means="The shop refuses our credentials: nothing is read from it and nothing is told to it.",
        do="Renew the credentials where they come from, then resume the shop on its page.",
        **_CHANNEL,
    ),
    "token": Remedy(
        means="The shop's authorisation ends soon, and nobody but you can renew it.",
        do="Authorise the app again on the platform and put the new token into the configuration.",
        **_CHANNEL,
    ),
    "brake": Remedy(
        means="Many listings would go to zero without a sale, so those zeros are held back.",
        do="Look at the stock: let the zeros go on the shop's page, or enter right counts, which make them void.",
        **_CHANNEL,
    ),
    "gate": Remedy(
        means="A parcel is to be told to the shop, and nobody can tell whether its order was refunded meanwhile.",
        do="Look at the order on the shop; let it go when nothing speaks against it.",
        done="It may go: tell the shop of the parcel",
    ),
    "unknown": Remedy(
        means="This was sent and no answer came: nobody knows whether it is there.",
        do="Look for it on the shop or in the warehouse's system and say what you see: a wrong answer ships twice.",
        done="It is not there: send it again",
        arrived="It is there: do not send it again",
    ),
    "restored": Remedy(
        means="A backup was restored: what happened between the backup and then is not known here.",
        do="Do what it says below: nothing else brings it back, and a release that is sent twice ships twice.",
        done="I have looked and entered it: go on",
    ),
    "recall": Remedy(
        means="An order was stopped after its warehouse had been told to send it.",
        do="Have the warehouse stop it, or get the parcel back from the courier.",
        done="It is stopped or on its way back: close it",
    ),
    "warehouse_refused": Remedy(
        means="No warehouse sends an order: those that were asked gave it back.",
        do="Ask them why; release the order on its page, and it is planned anew: this ends by itself.",
        done="It is settled otherwise: close it",
    ),
    "paper": Remedy(
        means="A paper says a character that no font here has, so it was not printed.",
        do="Name a font that has it in documents.font, or mend the text; then print it: this ends by itself.",
        done="It leaves without that paper: close it",
    ),
    "order_edited": Remedy(
        means="The buyer or the shop changed an order of which something had left already.",
        do="Compare it with what left and settle the difference with the buyer.",
        done="It is settled: close it",
    ),
    "refund_late": Remedy(
        means="Money was paid back for goods that had left already.",
        do="Settle it with the buyer, or get the parcel back.",
        done="It is settled: close it",
    ),
    "refund_unnamed": Remedy(
        means="A refund does not say which units it is for, so nothing was taken off the order.",
        do="Name the units on the shop or cancel the order; if it was for none, close this.",
        done="It was for no units: close it",
    ),
    "tracking_changed": Remedy(
        means="A tracking number was corrected here, and this shop takes no correction.",
        do="Correct the number on the shop's own pages.",
        done="It is corrected there: close it",
    ),
    "mapping_changed": Remedy(
        means="A listing was tied to another SKU while orders of it were on their way.",
        do="See whether the right goods left or will leave.",
        done="The goods are right: close it",
    ),
    "currency_changed": Remedy(
        means="The shop changed the currency of an order.",
        do="Compare its amounts with the shop.",
        done="The amounts are right: close it",
    ),
    "shipment_missing": Remedy(
        means="The shop accepted a parcel and does not show it.",
        do="Look for the parcel on the shop and enter it there.",
        done="It is there now: close it",
    ),
    "stock_short": Remedy(
        means="More units left or are to leave than the books have.",
        do="Count the stock and enter the count.",
        done="The stock is counted: close it",
        **_STOCK,
    ),
    "count_rose": Remedy(
        means="A warehouse counts far more than was known, so the count is not believed until you say so.",
        do="If the count is right, take it; if not, enter the right one, which ends this.",
        done="The count is right: take it",
        **_STOCK,
    ),
    "count_fell": Remedy(
        means="A warehouse counts far less than was known; the count is believed already.",
        do="If the count is wrong, enter the right one.",
        done="The count is right: close it",
        **_STOCK,
    ),
    "sku_unknown": Remedy(
        means="A warehouse counts SKUs that nobody here knows.",
        do="If these codes are right, take them in; if not, have the warehouse mend them.",
        done="The codes are right: take them in",
    ),
    "stock_drift": Remedy(
        means="A listing shows another number than it was told, and goes on doing so.",
        do="Find out who changes the number on the shop.",
        done="It is found: close it",
        **_STOCK,
    ),
    "clock": Remedy(
        means="The clock of this machine is or may be wrong, so nothing ends and nothing is erased by it.",
        do="Set the clock right by NTP, then confirm it.",
        done="The clock is right: go on",
    ),
    "version_ahead": Remedy(
        means="The shop sends records that claim to have been changed in the future.",
        do="Have the shop's clock or its time of change set right.",
        done="It is set right: close it",
        **_CHANNEL,
    ),
    "unknown_status": Remedy(
        means="The shop uses an order status that nobody here knows; its orders are kept as dead letters.",
        do="Put the status into the shop's settings or install a version that knows it, then replay the letters.",
        at="/dead-letters",
        there="Go to the dead letters",
    ),
    "same_version": Remedy(
        means="Two views of one order have the same version and say different things.",
        do="Look on the shop which one is right and enter what differs by hand.",
        done="It is compared: close it",
    ),
    "unknown_message": Remedy(
        means="The shop sends messages that nobody here knows; they are counted and change nothing.",
        do="Have the shop leave them out, or install a version that knows them.",
        **_CHANNEL,
    ),
    "events_not_taken": Remedy(
        means="A program that wanted to be told of events does not take them.",
        do="Mend its address, or end its subscription through the API.",
    ),
    "no_courier": Remedy(
        means="No account with a courier takes a parcel, so it has no number.",
        do="Mend what each account says against it, or send the parcel by a courier of your own choice.",
    ),
    "no_waybill": Remedy(
        means="A parcel has no number of its courier yet, so it cannot leave.",
        do="Mend what the task says, then have it booked again, or enter a number that you got yourself.",
    ),
    "no_bom": Remedy(
        means="Orders wait for goods that are made to order, and nobody said what those are made of.",
        do="Take in a bill of material and let it be active; this ends by itself then.",
    ),
    "work_excess": Remedy(
        means="Goods that one buyer wanted are being worked on, and that buyer wants them no more.",
        do="Let the work be finished or close it; this ends when nothing of it is under way.",
    ),
    "waybill_stale": Remedy(
        means="Couriers' numbers were booked and paid long ago, and no parcel left with them.",
        do="Send their parcels, or let the numbers be void; this ends with the last of them.",
    ),
    "waybill_cancel": Remedy(
        means="A parcel was stopped, and the courier does not say that its number is void.",
        do="See with the courier what became of it; if the parcel left, get it back.",
        done="It is void or settled: close it",
    ),
    "parcel_back": Remedy(
        means="A parcel comes back to its sender. Nothing of it was put back into stock.",
        do="Look at what arrives, add to the stock what is good, and settle the rest with the buyer.",
        done="It is settled: close it",
    ),
    "scan_missing": Remedy(
        means="The shop was told of a parcel that no courier has scanned, as it wants to be told in time.",
        do="Find out whether it left; a scan of it ends this.",
        done="It is found: close it",
    ),
    "route_broken": Remedy(
        means="A department is not told what happens: its messages do not get through.",
        do="Look at the error on the page of messages, mend it, and send a test; this ends with the next message.",
        at="/messages",
        there="Go to the messages",
    ),
}
OTHER = Remedy(
    means="An older version of erpsync asks this.",
    do="Do what the task says, then close it.",
)


def remedy_of(kind: str) -> Remedy:
    """Return what a kind of task means and what answers it."""
    return REMEDIES.get(kind, OTHER)


LETTERS: Mapping[str, str] = {
    "order": "Mend the order at its source: this ends when it is read. Were settings wrong, mend them and replay.",
    "refund": "Mend the refund at its source: this ends when it is read. Were settings wrong, mend them and replay.",
    "line": "Mend the line at its source: this ends when it is read. Were settings wrong, mend them and replay.",
    "inbox": "Mend settings or connector and replay; or have the shop send it right and drop this.",
    "shipment_report": "Make known here what it names (order, line, courier), then replay.",
    "stock": "Mend the listing on the shop, then replay; a newer number that it takes ends this, too.",
    "shipment": "Mend what the shop refuses, then replay.",
    "message": "Mend what the channel refuses, then replay, which sends it; old news may be dropped.",
    "correction": "Mend what the shop refuses, then replay; a newer correction ends this, too.",
    "release": "Mend what the warehouse refuses, then replay.",
    "waybill": "Mend what the courier refuses, then replay.",
    "waybill_cancel": "Void it with the courier by hand, or replay to ask again.",
    "release_cancel": "Have the warehouse stop it by hand, or replay to ask it again.",
}
"""By kind of a dead letter: what to do where trying again can help."""

_FILE = "Mend the file and put it into the folder again under its name: this ends when it is read."
_MENDS: Mapping[str, str] = {
    "warehouse_report": "Have the warehouse report it right: this ends when that is read.",
    "waybill_report": "Have the courier tell it right: this ends when that is read.",
    "listing": "Mend the listing on the shop: this ends when its catalogue is read again.",
}


def letter_remedy(kind: str, remedy: str) -> str:
    """Return what to do about a dead letter; `remedy` is `replay`, `mend`, `drop`, or "" when it has ended."""
    if remedy == "replay":
        return LETTERS.get(kind, "Mend what the error names, then replay.")
    if remedy == "mend":
        return _MENDS.get(kind, _FILE)
    return "Nothing of it is left to try again: drop it." if remedy == "drop" else ""
