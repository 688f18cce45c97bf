-- Puts a mail into the mailbox of users. Returns NULL if too many of its kind went to the address.
SELECT users.send_mail($1::uuid, NULL, $2::text, 'staff_invitation', $3::text, $4::text, $5::timestamptz);
