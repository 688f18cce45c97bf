-- Ends the mails with recommendations to a person.
DELETE FROM recommendation_mails WHERE user_id = $1::uuid;
