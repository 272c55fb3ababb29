"""A configuration is kept as text without one secret, and read again it is the same."""

import json
import re
import shutil
from pathlib import Path

import pytest

from erpsync.settings import Config, Registry, installed, load
from erpsync.settings.rescue import restore
from tests.support.sources import ROOT
from tests.unit.settings.builders import MAIN, loaded, registry, write

URL = "sqlite:////somewhere/else.db"
KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="


def again(config: Config, using: Registry) -> Config:
    """Return the configuration as somebody reads it from its text, in an environment without a variable."""
    return restore(config.kept, database=config.database, registry=using, environ={}).require()


@pytest.mark.parametrize("enabled", [True, False])
def test_every_shipped_example_is_the_same_when_it_is_read_again(tmp_path: Path, enabled: bool) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config", ignore=shutil.ignore_patterns("var"))
    for file in (tmp_path / "config" / "channels").iterdir():
        text = re.sub(r"^enabled: .*$", f"enabled: {str(enabled).lower()}", file.read_text(), flags=re.MULTILINE)
        file.write_text(text)
    config = load(tmp_path / "config", registry=installed(), environ={}, secrets=False).require()

    assert {channel.enabled for channel in config.channels} == {enabled}
    assert again(config, installed()) == config


def test_what_is_kept_does_not_depend_on_whether_secrets_were_read(tmp_path: Path) -> None:
    channel = "id: shop\nconnector: market\nsettings: {app_key: k, app_secret: !file secret, words: {a: '!b', c: ''}}\n"
    folder = write(tmp_path, MAIN + "status: {freshness_s: 77, tasks: 5}\n", shop=channel)
    whole, bare = loaded(folder, secrets=True).require(), loaded(folder, secrets=False).require()

    assert whole.kept == bare.kept
    assert again(whole, registry()) == bare
    assert again(whole, registry()).status.freshness_s == 77


SECRETS = {
    "literal": "app_secret: hunter22",
    "default": "app_secret: '${NOWHERE:-hunter22}'",
    "glued": "app_secret: '${GLUE}hunter22'",
    "file": "app_secret: !file secret",
    "environment": "app_secret: '${SECRET}'",
    "list": "app_secret: !file secret, tokens: [hunter22, '${SECRET}']",
    "address": "app_secret: !file secret, gateway: 'https://me:hunter22@market.test/rest'",
    "number": "app_secret: !file secret, words: {at: 'https://me:hunter22@market.test/rest'}",
}


@pytest.mark.parametrize("settings", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("enabled", ["true", "false"])
def test_no_secret_is_kept_however_it_is_given(tmp_path: Path, settings: str, enabled: str) -> None:
    main = f"database: postgresql+psycopg://me:hunter22@db/x\nprivacy: {{keys: [{KEY}], index_key: '${{INDEX}}'}}\n"
    shop = f"id: shop\nconnector: market\nenabled: {enabled}\nsettings: {{app_key: k, {settings}}}\n"
    environ = {"SECRET": "s3cret-value", "GLUE": "glue", "INDEX": KEY}
    config = loaded(write(tmp_path, main + MAIN, shop=shop), environ).require()

    assert not [word for word in ("hunter22", "s3cret-value", KEY, "glue") if word in config.kept]
    assert again(config, registry()).database == config.database


def test_references_are_kept_as_they_stand(tmp_path: Path) -> None:
    shop = "id: shop\nconnector: market\nsettings: {app_key: '${KEY:-k}', app_secret: '${SECRET}', tokens: [!cred a]}\n"
    environ = {"SECRET": "s3cret-value", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    (tmp_path / "a").write_text("a-credential")
    kept = json.loads(loaded(write(tmp_path, shop=shop), environ).require().kept)

    assert kept["channels"]["shop.yaml"]["settings"] == {
        "app_key": "${KEY:-k}",
        "app_secret": "${SECRET}",
        "tokens": ["!cred a"],
    }


def test_a_comment_changes_nothing_that_is_kept(tmp_path: Path) -> None:
    before = loaded(write(tmp_path, MAIN)).require().kept

    assert loaded(write(tmp_path, "# night shift\n" + MAIN)).require().kept == before


@pytest.mark.parametrize("text", ["{}", "[]", '{"file": "/x/erpsync.yaml", "main": {}, "channels": 3}', "{", '"a"'])
def test_text_of_another_form_is_refused_as_such(text: str) -> None:
    with pytest.raises(ValueError, match="kept in another form"):
        restore(text, database=URL, registry=registry(), environ={})


def test_a_key_that_this_version_does_not_know_is_a_problem_and_not_left_out() -> None:
    text = '{"file": "/x/erpsync.yaml", "main": {"from_tomorrow": 1}, "channels": {}}'

    assert restore(text, database=URL, registry=registry(), environ={}).config is None
