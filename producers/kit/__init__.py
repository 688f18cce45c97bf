"""What every commerce service is made of: requests, events, transactions, and rules that several share."""
