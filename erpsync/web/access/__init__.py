"""Who reaches the console: the door that every page stands behind, log-in and log-out, and what is refused unheard.

    door.page("/orders", self.orders, role="read")                # shows; without a session one is asked to log in
    door.part("/live", self.live, role="read")                    # a piece that a script fetches; 401 without a session
    door.act("/orders/{order}/hold", self.hold, role="operate")   # a form; role, origin and form token are looked at

Each gives the endpoint a `Visit`. Why routes are made here and nowhere else: one without a role cannot be written.
"""
