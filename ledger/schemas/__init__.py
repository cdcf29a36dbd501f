"""JSON Schemas (2020-12) of statement bodies, one file a type; each stands alone."""
