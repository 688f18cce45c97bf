-- Whether the service alerts is part of the platform.
SELECT to_regnamespace('alerts') IS NOT NULL;
