"""The pages under `/admin`: sellers, people, settings, commission, dead letters and limits."""
