SELECT number, name, sha256 FROM schema_migrations WHERE migrations_of = $1::text;
