"""The database for analysts: views with clean names, amounts in units of the currency, and comments."""
