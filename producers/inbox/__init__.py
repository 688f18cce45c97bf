"""Events reach a service through its inbox: each is acted on once, in the transaction that notes its id."""
