-- Puts a mail into the mailbox. Returns NULL if too many of its kind went to the address.
SELECT send_mail(
    $1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::text, $7::timestamptz
);
