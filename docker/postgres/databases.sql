-- Creates the platform's database and the registry's, each with a role that owns it and nothing else.
-- The image runs this file once, as the superuser, on an empty volume.
\getenv souk_password POSTGRES_SOUK_PASSWORD
\getenv registry_password POSTGRES_REGISTRY_PASSWORD
CREATE ROLE souk LOGIN PASSWORD :'souk_password';
CREATE DATABASE souk OWNER souk;
REVOKE CONNECT ON DATABASE souk FROM PUBLIC;
CREATE ROLE registry LOGIN PASSWORD :'registry_password';
CREATE DATABASE registry OWNER registry;
REVOKE CONNECT ON DATABASE registry FROM PUBLIC;
