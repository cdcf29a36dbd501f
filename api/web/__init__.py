"""Pages for people, rendered on the server, and the verifier that checks them in the browser."""
