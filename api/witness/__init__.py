"""A witness's server: keeps the heads of other people's logs, and cosigns what extends them."""
