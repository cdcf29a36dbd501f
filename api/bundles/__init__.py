"""Bundles: a dossier, a hearing's papers or a working paper as one ZIP that stands alone."""
