"""Live traffic: visits, orders, shipments and stock, sent through the API and Kafka like real traffic."""
