-- Who works for which seller: this service's own copy, which sellers keeps up to date by requests
-- (`PUT /v1/people/{user_id}/sellers/{seller_id}`).
CREATE TABLE staff_roles (
    user_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    seller_id text NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'manager', 'analyst', 'fulfilment')),
    PRIMARY KEY (user_id, seller_id)
);
CREATE INDEX staff_roles_of_seller ON staff_roles (seller_id);

-- Roles from before there were requests.
DO $$
BEGIN
    IF to_regclass('sellers.staff') IS NOT NULL THEN
        INSERT INTO staff_roles
        SELECT user_id, staff.seller_id, staff.role
        FROM sellers.staff JOIN people USING (user_id)
        ON CONFLICT DO NOTHING;
    END IF;
END
$$;

DROP FUNCTION memberships (uuid), forget_membership (uuid, text), find_user (text), end_access (uuid),
find_reader (text, text), send_to_reader (uuid, uuid, text, text, text, text, timestamptz),
send_mail (uuid, uuid, text, text, text, text, timestamptz);
