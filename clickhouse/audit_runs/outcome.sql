-- The outcome that is recorded of an audit.
SELECT outcome FROM audits FINAL WHERE audit_id = {audit_id:String}
