SELECT kid, public_jwk, sealed_private_jwk, signs_from FROM signing_keys ORDER BY signs_from;
