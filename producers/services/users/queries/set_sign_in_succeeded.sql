UPDATE sign_ins SET succeeded = true WHERE sign_in_id = $1::uuid;
