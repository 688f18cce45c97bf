"""What every room shares: settings, errors, money, time, ids, telemetry. Imports no other room."""
