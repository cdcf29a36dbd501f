"""What is printed: the notice of a period, a certificate, and the writer of their pages."""
