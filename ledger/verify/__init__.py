"""What an outsider runs: checks receipts and whole logs without trusting who serves them."""
