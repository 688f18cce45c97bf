"""The shop's pages: find, look, put into a cart, buy, follow an order."""
