INSERT INTO schema_migrations (migrations_of, number, name, sha256)
VALUES ($1::text, $2::integer, $3::text, $4::text);
