"""The command line: the only place besides tests where objects are built by hand."""
