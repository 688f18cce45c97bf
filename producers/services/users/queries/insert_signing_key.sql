INSERT INTO signing_keys (kid, public_jwk, sealed_private_jwk, signs_from)
VALUES ($1::text, $2::text, $3::bytea, $4::timestamptz);
