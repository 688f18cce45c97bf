-- Returns the highest version of each setting that was changed.
SELECT versions.name, versions.version, value, author, reason, changed_at, rolled_back_to
FROM settings
JOIN versions ON versions.name = settings.name AND versions.version = settings.version;
