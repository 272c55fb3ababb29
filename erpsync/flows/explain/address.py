"""Notes on where an order is to go, for whoever may see it: codes and names of regions, nothing that a buyer wrote."""

from collections.abc import Iterator

from erpsync.core.address import Problem, problems
from erpsync.flows.explain.case import ENDED, Case
from erpsync.flows.explain.steps import Step
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.encrypted import recipient_row
from erpsync.store.regions import regions


def address_notes(case: Case) -> Iterator[Step]:
    """Yield what looks wrong with the address of an order that is still to leave; nothing where it cannot be opened."""
    vault, row = case.ctx.store.vault, case.row
    if row.recipient is None or vault is None or case.status in ENDED:
        return
    try:
        recipient = vault.decrypt(row.recipient, row=recipient_row(row.channel_id, row.external_id))
    except PrivacyError:
        return
    for problem in problems(recipient, regions()):
        yield Step(what=f"address_{problem.code}", text=_said(problem))


def _said(problem: Problem) -> str:
    within = problem.within
    match problem.code, problem.part:
        case "too_short", _:
            return "the address may not lead to a door: too little stands behind its district"
        case "bad_phone", _:
            return "the phone of who gets it is no telephone number"
        case "unknown_region", "province":
            return "no province has the name that the address says"
        case "unknown_region", "city":
            return f"no city of {within} has the name that the address says" if within else "its city is not known"
        case "unknown_region", _:
            return f"no district of {within} has the name that the address says"
        case _, "address":
            return f"the address says {within}, and its street line begins with another place"
        case _, "city":
            return f"the city of the address does not lie in {within}"
    return f"the district of the address does not lie in {within}"
