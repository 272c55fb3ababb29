"""A database is copied while it is in use, and a lost one is had again from such a copy.

Promises: a backup is whole under its name or not there, and holds no key. A restored database is whole or refused by
every start. What the lost one may have done since the backup is done again by nobody: it is looked for, or a person is
asked. Called by commands. Touches every table, through the rooms below.
"""
