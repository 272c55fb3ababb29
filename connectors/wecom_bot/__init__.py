"""A WeCom (企业微信) group robot that says messages."""
