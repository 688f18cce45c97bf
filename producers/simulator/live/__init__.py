"""Live traffic: visits, orders, shipments and stock through the API and Kafka, as real ones would come."""
