"""Drop folders: orders or shipments come as CSV files, stock and shipments go out as CSV files."""
