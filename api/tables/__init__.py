"""Tables in and out: Excel and CSV files whose rows become signed statements, and back."""
