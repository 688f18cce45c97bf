"""Admits sellers to the marketplace: applications, staff, API keys, suspensions and commission rules."""
