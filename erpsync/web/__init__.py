"""The daemon's HTTP side: webhooks in, probes, metrics and the console out.

    server = WebServer(face)    # what a daemon shows of itself: context, configuration, meters, whether it is stopping
    server.start()
    server.stop(5)

Why no write access beside webhooks and the API: the console shows and the command line decides, so that there is one
place where a decision is checked and one where it is noted who took it. What a person does here is to log in and out.
"""
