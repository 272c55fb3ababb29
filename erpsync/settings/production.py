"""The keys of erpsync.yaml about what is made here."""

from pydantic import Field

from erpsync.settings.keys import Keys
from erpsync.settings.specs import SpecSets


class Production(Keys):
    """What is made to order."""

    specs: SpecSets = Field(
        default_factory=dict, description="Rules by which is read how a line is to be made, by a name that items give."
    )
