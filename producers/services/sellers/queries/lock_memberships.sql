-- Lets no other transaction make the same person a member of the staff of a seller until this one has ended.
SELECT pg_advisory_xact_lock(hashtextextended('staff ' || $1::uuid::text, 0));
