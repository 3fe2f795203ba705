"""How services are asked that do not read their requests topic themselves. A service on Kafka needs nothing but its topic's name."""
