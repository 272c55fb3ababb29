"""Orders and stock as CSV files: for a spreadsheet in its reader's language, or plain for a program.

Promises: nothing personal is in a file; what a spreadsheet would run or round is set as text; memory and the snapshot
that is read stay a page long, however many rows there are. Called by the command line and the console. Touches nothing:
it only reads.
"""
