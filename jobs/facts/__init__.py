"""Every event into its fact table."""
