"""The daemon's port: who may reach it, and what `check` says of that."""

from pathlib import Path

import pytest

from tests.unit.settings.builders import CHANNEL, MAIN, config, loaded, notes, problems, write


@pytest.mark.parametrize("host", ["0.0.0.0", "'[::]", "192.0.2.7", "erp.example"])
def test_an_address_that_others_can_reach_gets_a_warning(tmp_path: Path, host: str) -> None:
    quote = "'" if host.startswith("'") else ""
    result = loaded(write(tmp_path, f"web: {{listen: {host}:8686{quote}}}\n{MAIN}", shop=CHANNEL))

    assert notes(tmp_path, result) == [
        f"warning: erpsync.yaml:1:7: web.listen: {host.strip(chr(39))} is reached from other machines, and console and "
        "API answer those only by TLS: let it be 127.0.0.1 behind a proxy, which says X-Forwarded-Proto: https, or set "
        "plain_http: true"
    ]


def test_whoever_does_without_tls_is_told_what_that_means_and_no_more(tmp_path: Path) -> None:
    result = loaded(write(tmp_path, f"web: {{listen: 192.0.2.7:8686, plain_http: true}}\n{MAIN}", shop=CHANNEL))

    assert notes(tmp_path, result) == [
        "note: erpsync.yaml:1:31: web.plain_http: 192.0.2.7 is reached from other machines without TLS: passwords, "
        "tokens and what is shown can be read on the way"
    ]


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "127.1.2.3:1", "'[::1]:1'", "localhost:1", "LocalHost:1"])
def test_an_address_of_this_machine_alone_gets_none(tmp_path: Path, listen: str) -> None:
    assert notes(tmp_path, loaded(write(tmp_path, f"web: {{listen: {listen}}}\n{MAIN}", shop=CHANNEL))) == []


def test_names_are_allowed_in_any_case_and_with_a_final_dot(tmp_path: Path) -> None:
    got = config(tmp_path, "web: {allowed_hosts: [ERP.example., erp]}", shop=CHANNEL)

    assert got.web_hosts == ("erp.example", "erp")


@pytest.mark.parametrize("name", ["https://erp.example", "erp.example:443", "'*'", "erp example", "''", "商店.example"])
def test_an_allowed_host_is_a_plain_name(tmp_path: Path, name: str) -> None:
    said = problems(tmp_path, loaded(write(tmp_path, f"web: {{allowed_hosts: [{name}]}}\n{MAIN}", shop=CHANNEL)))

    assert len(said) == 1
    assert said[0].startswith(
        "erpsync.yaml:1:23: web.allowed_hosts.0: must be the name of a host such as erp.example.com"
    )
