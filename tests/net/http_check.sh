#!/bin/sh
# http_check.sh - see http_check.py; without the cases that take long (by their names, or all by none).
exec python3 -B "${0%.sh}.py" a_record_arrives_once_on_a_good_link \
	a_server_that_offers_http_2_gets_it_on_one_connection a_node_that_dies_in_mid_request_goes_on \
	a_server_that_is_away_is_said_to_be_and_waited_for "$@"
