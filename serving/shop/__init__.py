"""What shoppers ask: the catalogue, and through the gateway their orders and what is in stock."""
