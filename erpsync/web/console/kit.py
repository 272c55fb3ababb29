"""What every page of the console is made with."""

from dataclasses import dataclass

from erpsync.web.access.door import Door
from erpsync.web.acts import Acts
from erpsync.web.pages import Pages
from erpsync.web.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """The site that is shown, the maker of pages, the door they stand behind, and what carries acts out."""

    site: Site
    pages: Pages
    door: Door
    acts: Acts
