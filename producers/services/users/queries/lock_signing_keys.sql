SELECT pg_advisory_xact_lock(hashtextextended('users signing keys', 0));
