-- One transaction at a time decides to whom an e-mail address belongs.
SELECT pg_advisory_xact_lock(hashtextextended('users email ' || $1::text, 0));
