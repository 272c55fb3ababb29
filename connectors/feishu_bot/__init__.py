"""A Feishu (飞书) or Lark custom bot that says messages."""
