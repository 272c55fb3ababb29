"""The daemon's HTTP side: webhooks in, probes, metrics and the console out.

site = Site(store=..., house=lambda: ..., limits=lambda: ...)
server = WebServer(create_app(site), host="127.0.0.1", port=8686)
server.start()
"""
