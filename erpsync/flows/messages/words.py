"""What is said of each kind of event: one English sentence of what may be told, which is shown in the route's language.

Why not the texts that stand in the event: people and platforms wrote some of them, and a buyer's name may be in any.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from erpsync.flows.messages.facts import Happened
from erpsync.languages import Language

SKUS = 5
"""So many SKUs are named in a sentence."""


def _imported(it: Happened) -> str:
    order, total, reason = it.order, it.total, ", ".join(it.hold_reasons)
    if reason:
        return f"order {order} came in and is held: {reason}"
    return f"order {order} came in, {total}" if total else f"order {order} came in"


def _changed(it: Happened) -> str:
    order, reason = it.order, ", ".join(it.hold_reasons)
    return f"order {order} changed and is held: {reason}" if reason else f"order {order} changed"


def _held(it: Happened) -> str:
    order, reason = it.order, ", ".join(it.hold_reasons)
    return f"order {order} is held: {reason}" if reason else f"order {order} is held"


def _backordered(it: Happened) -> str:
    order, skus = it.order, ", ".join(it.skus[:SKUS])
    return f"order {order} lacks units of {skus}" if skus else f"order {order} lacks units that nothing covers yet"


def _release(told: Callable[[str, str], str]) -> Callable[[Happened], str]:
    return lambda it: told(it.number or it.order, ", ".join(it.warehouses) or "-")


def _wave(told: Callable[[str, str], str]) -> Callable[[Happened], str]:
    return lambda it: told(it.number or "-", ", ".join(it.warehouses) or "-")


def _scan_refused(it: Happened) -> str:
    number = it.number
    return f"the desk refused to let release {number} leave" if number else "the desk refused a parcel that is not ours"


def _alarm(it: Happened) -> str:
    what, channel = it.check or "-", it.channel
    return f"{channel} has an alarm: {what}" if channel else f"there is an alarm: {what}"


def _alarm_ended(it: Happened) -> str:
    what, channel = it.check or "-", it.channel
    return f"{channel} has its alarm no more: {what}" if channel else f"an alarm is over: {what}"


def _shop(it: Happened) -> str:
    return it.channel or "-"


def _task_opened(it: Happened) -> str:
    kind, channel = it.kind_of or "-", it.channel
    return f"{channel} has a new task: {kind}" if channel else f"there is a new task: {kind}"


def _task_done(it: Happened) -> str:
    kind = it.kind_of or "-"
    return f"a task is done: {kind}"


def _letter_opened(it: Happened) -> str:
    kind, channel = it.kind_of or "-", _shop(it)
    return f"{channel} has a new dead letter: {kind}"


WORDS: Mapping[str, Callable[[Happened], str]] = {
    "alarm.ended": _alarm_ended,
    "alarm.raised": _alarm,
    "brake.held": lambda it: f"{_shop(it)}: zeros of many listings are held back until a person looks",
    "brake.released": lambda it: f"{_shop(it)}: the brake on its numbers is released",
    "channel.down": lambda it: f"{_shop(it)} does not answer, it is tried on and on",
    "channel.paused": lambda it: f"{_shop(it)} was paused by a person",
    "channel.resumed": lambda it: f"{_shop(it)} goes on after a pause",
    "channel.up": lambda it: f"{_shop(it)} answers again",
    "clock.off": lambda it: f"the clock of this machine and that of {_shop(it)} differ too much",
    "clock.right": lambda it: f"the clock of this machine and that of {_shop(it)} agree again",
    "config.refused": lambda _: "a reload of the configuration was refused, the old one stays in force",
    "config.reloaded": lambda _: "the configuration was reloaded",
    "gate.asked": lambda it: f"order {it.order} cannot be read again, a person has to say whether its parcel is told",
    "letter.opened": _letter_opened,
    "order.approved": lambda it: f"a person approved what rules asked of order {it.order}",
    "order.backordered": _backordered,
    "order.cancelled": lambda it: f"order {it.order} was cancelled here",
    "order.changed": _changed,
    "order.filled": lambda it: f"order {it.order} got the units it lacked",
    "order.found_late": lambda it: f"order {it.order} was found late, when its hours were read again",
    "order.freed": lambda it: f"order {it.order} is held no more",
    "order.held": _held,
    "order.imported": _imported,
    "order.late": lambda it: f"order {it.order} is late: it should have been shipped by now",
    "order.marked": lambda it: f"a person set or took away tags or a seal of order {it.order}",
    "order.refunded": lambda it: f"order {it.order} has a refund that was granted",
    "order.shipped": lambda it: f"order {it.order} was shipped",
    "order.taken_back": lambda it: f"order {it.order} gave units back to an order before it",
    "parcel.delivered": lambda it: f"a parcel of order {it.order} was delivered",
    "parcel.given_up": lambda it: f"{_shop(it)} is asked no more about a parcel of order {it.order}",
    "parcel.returned": lambda it: f"a parcel of order {it.order} came back to its sender",
    "parcel.scanned": lambda it: f"a courier has a parcel of order {it.order}",
    "release.kept": _release(lambda number, warehouse: f"release {number} was not stopped by {warehouse}: it leaves"),
    "release.made": _release(lambda number, warehouse: f"release {number} was made for {warehouse}"),
    "release.printed": _release(lambda number, warehouse: f"a paper of release {number} was printed in {warehouse}"),
    "release.recalled": _release(
        lambda number, warehouse: f"release {number} is recalled, {warehouse} must not send it"
    ),
    "release.stopped": _release(lambda number, warehouse: f"release {number} was stopped by {warehouse}"),
    "release.told": _release(lambda number, warehouse: f"release {number} was handed to {warehouse}"),
    "scan.refused": _scan_refused,
    "shipment.held": lambda it: f"parcel {it.number or '-'} of order {it.order} is not told to the shop, it is held",
    "shipment.missing": lambda it: f"a parcel of order {it.order} is unknown to the shop that was told of it",
    "shipment.recorded": lambda it: f"a parcel of order {it.order} left",
    "shipment.told": lambda it: f"the shop was told of a parcel of order {it.order}",
    "stock.count_fell": lambda it: f"the count of {it.sku} fell more than is believed",
    "stock.count_rose": lambda it: f"the count of {it.sku} rose more than is believed, a person has to look",
    "stock.drifted": lambda it: f"{_shop(it)} shows another number of {it.sku} than it was told",
    "subscription.stopped": lambda _: "a subscriber is told no more events, it did not take them for days",
    "task.closed": _task_done,
    "task.done": _task_done,
    "task.opened": _task_opened,
    "token.expiring": lambda it: f"the authorisation of {_shop(it)} ends within days: authorise the app again",
    "wave.done": _wave(lambda number, warehouse: f"wave {number} in {warehouse} was ended by a person"),
    "wave.dropped": _wave(lambda number, warehouse: f"wave {number} in {warehouse} was dropped before it was printed"),
    "wave.made": _wave(lambda number, warehouse: f"wave {number} is to be picked in {warehouse}"),
    "wave.printed": _wave(lambda number, warehouse: f"wave {number} was printed in {warehouse}"),
    "waybill.booked": lambda it: f"a parcel of order {it.order} has its courier's number",
    "waybill.cancelled": lambda it: f"a courier's number of order {it.order} is void",
    "waybill.refused": lambda it: f"a parcel of order {it.order} got no courier's number",
    "waybill.unknown": lambda it: f"whether {_shop(it)} has a booking of order {it.order} nobody knows",
    "waybill.used": lambda it: f"a parcel of order {it.order} that was to be stopped is on its way with {_shop(it)}",
    "window.reopened": lambda it: f"{_shop(it)}: hours that were sealed are read again",
}


def sentence(it: Happened, speech: Language) -> str:
    """Return what is said of an event in a language: its own sentence, else its kind and what it is about."""
    make = WORDS.get(it.kind)
    if make is not None:
        reasons = tuple(" ".join((speech.word(reason), *it.rules.get(reason, ()))) for reason in it.hold_reasons)
        return speech.say(
            make(replace(it, hold_reasons=reasons, kind_of=speech.word(it.kind_of), check=speech.word(it.check)))
        )
    kind = speech.phrase(it.kind)
    return f"{kind}: {it.subject}" if it.subject else kind
