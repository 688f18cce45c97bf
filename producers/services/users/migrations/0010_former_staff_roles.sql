-- Who worked for which seller, until when. It ends with the person.
CREATE TABLE former_staff_roles (
    user_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    seller_id text NOT NULL,
    ended_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, seller_id)
);
CREATE INDEX former_staff_roles_of_seller ON former_staff_roles (seller_id);
