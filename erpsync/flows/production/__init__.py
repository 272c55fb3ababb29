"""What is made here: bills of material, and work orders from what waits to what is finished.

Promises: an active bill never changes, so what was begun by one is finished by it; nothing is made of itself. A need
becomes one work order, however often and by whom it is looked for; no component is used twice; finished units go to
whoever waits in the same commit. Called by the daemon and by commands. Touches bills, work orders, stock and tasks.
"""
