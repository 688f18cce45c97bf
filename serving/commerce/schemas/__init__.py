"""The requests and responses of orders and stock, as the API describes them."""
