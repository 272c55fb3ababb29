"""The shop's messages: their form (`messages`), what they say (`records`), what an unread body is (`bodies`)."""
