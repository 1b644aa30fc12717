#!/bin/sh
# http_check.sh - see http_check.py; without the case that takes long (make net-check has it).
exec python3 -B "${0%.sh}.py" a_record_arrives_once_on_a_good_link a_node_that_dies_in_mid_request_goes_on \
	a_server_that_is_away_is_said_to_be_and_waited_for "$@"
