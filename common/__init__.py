"""Code that every room uses: settings, errors, money, time, ids, telemetry. Imports no other room."""
