"""The pages of the console, a room for each story, each reading through `erpsync.store.views` and acting through flows.

| page | room | role to act |
|---|---|---|
| what needs somebody now | `overview` | |
| orders, one order | `orders` | operate |
| stock, one SKU, listings, bundles | `goods` | operate |
| tasks, dead letters, the trail | `attention` | operate |
| channels, reconciliation, configuration, users, tokens | `system` | operate, admin for users and tokens |

Add a page: a function of a `Visit` that answers `kit.pages.answer(TEMPLATE, {...}, visit)`, a line in the `routes` of
its class, the class in `routes.routes`, a template that extends `base.html`, and where it is reached from the top a
line there. Add an act: `door.act`, and in it `kit.acts.carry_out(visit, act)`; its form holds `{{ form_keys() }}`.
"""
