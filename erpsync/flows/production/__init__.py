"""What is made here: bills of material and the versions they have.

Promises: an active bill never changes, so what was begun by one is finished by it; nothing is made of itself, and no
bundle is made or goes into anything. Called by commands. Touches bills of material and tasks.
"""
