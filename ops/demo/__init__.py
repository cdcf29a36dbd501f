"""The demo: an organisation of three branches and the entries of one year."""
