"""A DingTalk (钉钉) custom robot that says messages."""
