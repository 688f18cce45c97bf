UPDATE signing_keys SET sealed_private_jwk = NULL WHERE kid = ANY ($1::text[]) AND sealed_private_jwk IS NOT NULL;
