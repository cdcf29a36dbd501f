"""What people and programs meet: the HTTP interface and the command line."""
