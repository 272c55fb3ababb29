"""Who may do what: programs by tokens, people by name and password, both in three roles.

Promises: no password and no token is stored or told, only what proves it; whoever is disabled, or gets another
password or role, is out with the commit that says so; wrong names and wrong passwords are told alike and take alike
long. Called by `web` and the commands `token` and `user`. Touches tokens, users, their sessions
and their views.
"""
