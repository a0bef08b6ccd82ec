"""Reading a sweep file: every value is checked, and every refusal names its line."""
