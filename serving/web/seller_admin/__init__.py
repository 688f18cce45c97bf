"""The pages with which people apply to sell, and the settings of a seller."""
