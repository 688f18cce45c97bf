"""How events leave a service: committed with the state that they tell of, then relayed to Kafka."""
