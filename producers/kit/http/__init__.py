"""HTTP code that the commerce services share: application, middleware, error responses, readiness."""
