"""Fairness analytics: figures that flag and explain what people should look at, and never judge."""
