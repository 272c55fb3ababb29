"""Secrets come from the environment, from files and from credentials; nobody ever reads one in a message."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from erpsync.settings import PrivacySettings
from erpsync.settings.secrets import NOT_RESOLVED
from tests.unit.settings.builders import CHANNEL, MAIN, config, loaded, notes, problems, write

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # 32 bytes


def channel(secret: str) -> str:
    return CHANNEL.replace("!file secret", secret)


def secret_of(folder: Path, written: str, **environ: str) -> str:
    got = config(folder, environ=environ, shop=channel(written)).channels[0]
    return str(got.settings.app_secret.get_secret_value())


def test_a_secret_comes_from_the_environment(tmp_path: Path) -> None:
    assert secret_of(tmp_path, "'${TOKEN}'", TOKEN="t0ken") == "t0ken"


def test_a_default_stands_in_for_a_variable_that_is_not_set_or_empty(tmp_path: Path) -> None:
    assert secret_of(tmp_path, "'${TOKEN:-a:-b c}'") == "a:-b c"
    assert secret_of(tmp_path, "'${TOKEN:-abcd}'", TOKEN="") == "abcd"


def test_a_reference_may_stand_inside_other_text(tmp_path: Path) -> None:
    assert secret_of(tmp_path, "'a${X}b${Y}c'", X="1", Y="2") == "a1b2c"


def test_what_a_variable_holds_is_not_looked_at_again(tmp_path: Path) -> None:
    assert secret_of(tmp_path, "'${X}'", X="${Y}: [yaml, !file z]") == "${Y}: [yaml, !file z]"


def test_two_dollars_write_one(tmp_path: Path) -> None:
    assert secret_of(tmp_path, "'$${X}'") == "${X}"


def test_a_secret_comes_from_a_file_beside_the_configuration_less_its_line_end(tmp_path: Path) -> None:
    assert secret_of(tmp_path, "!file secret") == "s3cret-value"


def test_a_secret_comes_from_the_folder_of_credentials(tmp_path: Path) -> None:
    (tmp_path / "creds").mkdir()
    (tmp_path / "creds" / "tmall-secret").write_text("from systemd\n")

    got = secret_of(tmp_path, "!cred tmall-secret", CREDENTIALS_DIRECTORY=str(tmp_path / "creds"))

    assert got == "from systemd"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("${TOKEN}", "environment variable TOKEN is not set"),
        ("${EMPTY}", "environment variable EMPTY is empty"),
        ("'${TOKEN'", "${ without a closing }; write $${ for a literal ${"),
        ("${TOKEN-x}", "between ${ and } belongs NAME or NAME:-default; write $${ for a literal ${"),
        ("!file nowhere", "file nowhere cannot be read: no such file or directory"),
        ("!file channels", "file channels cannot be read: is a directory"),
        ("!file empty", "file empty is empty"),
        ("!file binary", "file binary is not UTF-8 text"),
        ("!file huge", "file huge is larger than 65536 bytes"),
        ("!file", "!file needs the path of a file"),
        ("!file nul", "file nul holds U+0000"),
        ("!cred x", "credential x: CREDENTIALS_DIRECTORY is not set (systemd sets it: LoadCredential=)"),
        ("!cred ../x", "!cred needs a name of letters, digits, dots, hyphens or underscores"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told_with_its_place(written: str, said: str, tmp_path: Path) -> None:
    write(tmp_path, shop=f"id: shop\nconnector: market\nsettings:\n  app_key: k\n  app_secret: {written}\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "huge").write_text("x" * 70_000)
    (tmp_path / "nul").write_text("a\0b")

    found = problems(tmp_path, loaded(tmp_path, {"EMPTY": ""}))

    assert found == [f"channels/shop.yaml:5:3: settings.app_secret: {said}"]


def test_a_literal_secret_works_and_is_warned_of(tmp_path: Path) -> None:
    result = loaded(write(tmp_path, shop=channel("hunter22").replace("}", ", tokens: [abcd]}")))

    assert result.require().channels[0].settings.app_secret == SecretStr("hunter22")
    assert notes(tmp_path, result) == [
        "warning: channels/shop.yaml:3:24: settings.app_secret: "
        "a secret is written in the file; use ${ENV}, !file PATH or !cred NAME",
        "warning: channels/shop.yaml:3:55: settings.tokens.0: "
        "a secret is written in the file; use ${ENV}, !file PATH or !cred NAME",
    ]


def test_a_password_in_the_address_of_the_database_is_warned_of(tmp_path: Path) -> None:
    main = f"{MAIN}database: postgresql+psycopg://u:pw@h/n\nprivacy: {{keys: [!file key], index_key: !file key}}"
    write(tmp_path, main, shop=CHANNEL)
    (tmp_path / "key").write_text(KEY)

    assert notes(tmp_path, loaded(tmp_path)) == [
        "warning: erpsync.yaml:2:1: database: the password is written in the file; use ${ENV} in its place"
    ]


def test_no_secret_stands_in_a_message_or_in_what_is_printed_of_a_configuration(tmp_path: Path) -> None:
    bad = "id: shop\nconnector: market\nsettings: {app_key: k, app_secret: '${S}', tokens: ['${T}'], gateway: '${G}'}"
    environ = {"S": "abc", "T": "tok-1234", "G": "https://forbidden.test/key-9876"}
    main = "database: postgresql+psycopg://u:${PW}@h/n"

    refused = loaded(write(tmp_path, main, shop=bad), environ | {"PW": "pw-5555"})
    accepted = config(tmp_path, shop=channel("!file secret"))

    assert problems(tmp_path, refused)[1:] == [
        "channels/shop.yaml:3:24: settings.app_secret: must have a length of at least 4, has 3",
        "channels/shop.yaml:3:62: settings.gateway: *** is not for shops",
    ]
    said = repr(refused) + repr(accepted)
    assert [value for value in ("abc'", "tok-1234", "key-9876", "pw-5555", "s3cret-value") if value in said] == []


def test_without_secrets_none_is_read_and_everything_else_is_checked(tmp_path: Path) -> None:
    text = """
id: shop
connector: market
settings: {app_key: !cred name, app_secret: !file nowhere, tokens: [literal], gateway: "${NOT_SET}", retrys: 1}
"""
    main = MAIN + "privacy: {keys: [!cred a], index_key: !file b}\nruntime: {stop_s: '${STOP}'}"

    found = problems(tmp_path, loaded(write(tmp_path, main, shop=text), secrets=False))

    assert found == [
        "erpsync.yaml:3:11: runtime.stop_s: environment variable STOP is not set",
        "channels/shop.yaml:4:102: settings.retrys: unknown key; did you mean 'retries'?",
    ]


def test_without_secrets_a_placeholder_stands_for_each(tmp_path: Path) -> None:
    text = CHANNEL.replace("!file secret", "!file nowhere").replace("}", ', gateway: "${GATEWAY}", retries: "${N}"}')
    main = MAIN + "database: postgresql+psycopg://u:${PW}@h/n\nprivacy: {keys: [!cred a], index_key: !file b}"

    got = loaded(write(tmp_path, main, shop=text), {"PW": "pw", "N": "5"}, secrets=False).require()

    assert got.database == "postgresql+psycopg://u:pw@h/n"
    assert got.privacy == PrivacySettings(keys=(SecretStr(NOT_RESOLVED),), index_key=SecretStr(NOT_RESOLVED))
    assert got.channels[0].settings.app_key == "k"


def test_a_disabled_channel_is_checked_without_its_secrets(tmp_path: Path) -> None:
    text = channel("!cred nowhere") + "enabled: false\nstock: {warehouses: [BJ]}"

    found = problems(tmp_path, loaded(write(tmp_path, shop=text)))

    assert found == [
        "channels/shop.yaml:5:22: stock.warehouses.0: no warehouse 'BJ' in erpsync.yaml; known are GZ, QC, SH"
    ]


def test_numbers_and_switches_may_come_from_the_environment(tmp_path: Path) -> None:
    text = channel("!file secret").replace("}", ", retries: '${N}'}") + "enabled: ${ON}\npoll: {orders_s: '${S:-2.5}'}"

    got = config(tmp_path, environ={"N": "7", "ON": "false"}, shop=text).channels[0]

    assert (got.settings.retries, got.enabled, got.poll.orders_s) == (7, False, 2.5)


def test_a_number_from_the_environment_is_not_repeated_when_it_is_wrong(tmp_path: Path) -> None:
    result = loaded(write(tmp_path, shop=CHANNEL + "poll: {orders_s: '${S}'}"), {"S": "fast"})

    assert problems(tmp_path, result) == ["channels/shop.yaml:4:8: poll.orders_s: must be a number"]


def test_encryption_keys_are_32_bytes_in_base64(tmp_path: Path) -> None:
    main = MAIN + "privacy:\n  keys:\n    - ${GOOD}\n    - ${SHORT}\n  index_key: ${BAD}\n  retention_days: 30"

    result = loaded(write(tmp_path, main), {"GOOD": KEY, "SHORT": "c2hvcnQ=", "BAD": "not base64"})

    assert problems(tmp_path, result) == [
        "erpsync.yaml:5:7: privacy.keys.1: must be 32 bytes in base64, is 5 (`openssl rand -base64 32` makes one)",
        "erpsync.yaml:6:3: privacy.index_key: must be 32 bytes in base64, is not base64 "
        "(`openssl rand -base64 32` makes one)",
    ]


def test_channels_keep_personal_data_as_long_as_privacy_says_unless_they_say_otherwise(tmp_path: Path) -> None:
    main = MAIN + "privacy: {keys: ['${K}'], index_key: '${K}', retention_days: 30}"
    other = CHANNEL.replace("shop", "other") + "retention_days: 7"

    got = config(tmp_path, main, {"K": KEY}, shop=CHANNEL, other=other)

    assert {each.id: each.retention_days for each in got.channels} == {"shop": 30, "other": 7}


def test_without_keys_beside_sqlite_a_note_says_what_happens(tmp_path: Path) -> None:
    (note,) = loaded(write(tmp_path, shop=CHANNEL)).notes

    assert (note.severity, note.path) == ("note", "privacy")
    assert note.text == "no encryption keys given: `run` or `migrate` makes a key file beside the database"
