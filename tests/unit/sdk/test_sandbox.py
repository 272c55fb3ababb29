"""The fault plan: repeatable by its seed, exact on demand."""

import pytest

from erpsync.sdk.sandbox import (
    PLATFORM_FAULTS,
    TRANSPORT_FAULTS,
    ConnectionLost,
    Fault,
    FaultPlan,
    Sandbox,
    SandboxRequest,
    SandboxResponse,
)

REQUEST = SandboxRequest(method="POST", path="/ship", body=b"a=1&b=%E4%B8%AD")


class Shop(Sandbox):
    effects = 0

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        self.effects += 1
        return SandboxResponse.of_json({"done": self.effects})


def outcomes(seed: int, count: int = 200) -> list[object]:
    shop, seen = Shop(faults=FaultPlan(seed, 0.5)), []
    for _ in range(count):
        try:
            response = shop.handle(REQUEST)
        except ConnectionLost as lost:
            seen.append(("lost", lost.effect_done, shop.effects))
        else:
            seen.append((response.status, len(response.body), shop.effects))
    return seen


def test_one_seed_gives_the_same_faults_again() -> None:
    assert outcomes(7) == outcomes(7)
    assert outcomes(7) != outcomes(8)


def test_a_plan_without_a_rate_plays_nothing() -> None:
    shop = Shop()

    assert [shop.handle(REQUEST).status for _ in range(50)] == [200] * 50
    assert not shop.faults.struck


def test_every_kind_of_transport_fault_happens_by_chance() -> None:
    plan = FaultPlan(1, 1.0)

    assert {plan.draw() for _ in range(200)} == set(TRANSPORT_FAULTS)
    assert set(plan.struck) == set(TRANSPORT_FAULTS)


def test_only_the_kinds_asked_for_happen() -> None:
    plan = FaultPlan(1, 1.0, kinds=["throttle", "late"])

    assert {plan.draw() for _ in range(20)} == {Fault.THROTTLE}
    assert plan.strikes("late")
    assert not plan.strikes(Fault.DUPLICATE)


def test_a_forced_fault_waits_for_its_request() -> None:
    plan = FaultPlan()
    plan.force("throttle", after=2, times=2)

    assert [plan.draw() for _ in range(5)] == [None, None, Fault.THROTTLE, Fault.THROTTLE, None]


def test_forced_transport_and_platform_faults_do_not_wait_for_each_other() -> None:
    plan = FaultPlan()
    plan.force(Fault.EXPIRED_TOKEN, after=1)
    plan.force(Fault.TIMEOUT_AFTER)

    assert not plan.strikes(Fault.LATE)
    assert plan.draw() is Fault.TIMEOUT_AFTER
    assert [plan.strikes(Fault.EXPIRED_TOKEN) for _ in range(3)] == [False, True, False]


def test_clearing_ends_all_faults() -> None:
    plan = FaultPlan(1, 1.0)
    plan.force(Fault.THROTTLE, times=9)

    plan.clear()

    assert [plan.draw() for _ in range(20)] == [None] * 20


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="gremlins"):
        FaultPlan(kinds=["gremlins"])


def test_a_definite_refusal_never_follows_an_effect() -> None:
    """503 and throttling promise that nothing happened; a client relies on that."""
    shop = Shop(faults=FaultPlan(3, 1.0))
    for _ in range(300):
        before = shop.effects
        try:
            status = shop.handle(REQUEST).status
        except ConnectionLost:
            continue
        if status in {429, 503}:
            assert shop.effects == before


def test_transport_and_platform_faults_are_all_there_are() -> None:
    assert set(TRANSPORT_FAULTS) | set(PLATFORM_FAULTS) == set(Fault)
    assert not set(TRANSPORT_FAULTS) & set(PLATFORM_FAULTS)


def test_a_form_body_is_read_as_utf_8() -> None:
    assert REQUEST.form() == {"a": "1", "b": "中"}
