"""Job `facts`: copies every event into its fact table."""
