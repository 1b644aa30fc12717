#!/bin/sh
# s3_check.sh - see s3_check.py; without the cases that take long (make net-check has them).
exec python3 -B "${0%.sh}.py" records_are_in_the_store_once_each hostile_names_are_signed_and_stay_in_their_place \
	a_wrong_secret_is_said_and_nothing_is_lost "$@"
