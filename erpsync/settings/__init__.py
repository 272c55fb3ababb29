"""YAML to frozen settings and `core`'s policies; every problem with file, line and column, all at once.

Why strict: an order system that guesses what a mistyped key meant sells stock it does not have.
"""

from erpsync.settings.config import (
    ChannelConfig,
    Config,
    Diff,
    Loaded,
    PrivacySettings,
    StatusLimits,
    changed_channels,
)
from erpsync.settings.files import find_config
from erpsync.settings.load import load
from erpsync.settings.problems import ConfigError, Problem
from erpsync.settings.registry import Registry, RegistryError, installed
from erpsync.settings.rule_config import RulesConfig
from erpsync.settings.schema import FieldDoc, connector_fields, fields, schema

__all__ = [
    "ChannelConfig",
    "Config",
    "ConfigError",
    "Diff",
    "FieldDoc",
    "Loaded",
    "PrivacySettings",
    "Problem",
    "Registry",
    "RegistryError",
    "RulesConfig",
    "StatusLimits",
    "changed_channels",
    "connector_fields",
    "fields",
    "find_config",
    "installed",
    "load",
    "schema",
]
