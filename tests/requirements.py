"""What the protocol asks of us, clause by clause, and the tests that hold each; `test_requirements` checks the names.

A clause is in our own words; its source names the document and section that it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass

SIGNING = "NHA signing document; BECKN-006"
CONTEXT = "NHA Physical Consultation v2.0, context"
GUIDE = "UHI guide 2.1, message flow"
CALLBACKS = "UHI guide, correlation of callbacks"
ERRORS = "NHA GatewayError codes; our error table"
REGISTRY = "UHI network registry, lookup"
AUDIT = "NHA Physical Consultation v2.0, audit"
JSON = "RFC 8259; RFC 7493 (I-JSON)"
DELIVERY = "Our reliability rules, send and receive side"
LIMITS = "Our security rules, default limits"
PRIVACY = "Our security rules, log redaction and what is kept of patients"
GOLIVE = "NHA Physical Consultation v2.0, checklist before going live"
RECEIPTS = "NHA gateway description v2.0.2, ACK and NACK"


@dataclass(frozen=True)
class Clause:
    """One requirement: `tests` are `file::test`, below `tests/` and without `.py`."""

    id: str
    sentence: str
    source: str
    tests: tuple[str, ...]


def _clause(name: str, sentence: str, source: str, tests: str) -> Clause:
    """A clause whose tests are written as `file: test test` groups, one a line."""
    groups = [line.strip().partition(": ") for line in tests.strip().splitlines()]
    return Clause(
        name, sentence, source, tuple(f"{file}::test_{test}" for file, _, names in groups for test in names.split())
    )


CLAUSES = (
    _clause(
        "sign.digest",
        "The digest is BLAKE2b-512 of the body's raw bytes, in base64.",
        SIGNING,
        "signing/test_signing_string: digest_is_blake2b_512_of_the_raw_bytes",
    ),
    _clause(
        "sign.uhi",
        "UHI joins created, expires and digest by spaces and signs the base64 text of their hash.",
        SIGNING,
        """signing/test_signing_string: uhi_joins_with_spaces_and_signs_a_hash
        conformance/test_signing_vectors: uhi_vector_is_reproduced_step_by_step uhi_vector_is_signed_byte_for_byte""",
    ),
    _clause(
        "sign.beckn",
        "BECKN joins the same parts by line feeds and signs the string itself.",
        SIGNING,
        "signing/test_signing_string: beckn_joins_with_line_feeds_and_signs_the_string",
    ),
    _clause(
        "sign.profile",
        "The profile is the key's, whatever form the header has.",
        SIGNING,
        """signing/test_verify: valid_signature_of_the_other_profile_is_refused
        network/test_refused_signatures: signature_in_a_profile_the_key_is_not_pinned_to_is_refused""",
    ),
    _clause(
        "sign.life",
        "A signature is processed between created (5 s tolerance) and expires, and lives an hour at most.",
        SIGNING,
        """signing/test_verify: expired_signature_is_refused lifetime_outside_1_second_to_1_hour_is_refused
        network/test_refused_signatures: expired_signature_is_refused
        network/test_refused_signatures: signature_from_the_future_is_refused_beyond_the_tolerance""",
    ),
    _clause(
        "sign.fresh",
        "One sender never sends one receiver the same header for the same body twice.",
        DELIVERY,
        """exchange/test_stamps: nobody_ever_gets_the_same_header_twice
        network/test_faults: every_attempt_carries_a_signature_of_its_own""",
    ),
    _clause(
        "header.required",
        "Every message carries exactly one Authorization; without it 401 with a challenge.",
        ERRORS,
        """network/test_refused_signatures: missing_signature_is_refused_with_a_challenge
        network/test_refused_signatures: second_authorization_header_is_refused
        network/test_refused_signatures: every_route_of_every_program_asks_for_a_signature""",
    ),
    _clause(
        "header.grammar",
        "Both header forms are read in any order; what cannot be read is refused as an invalid signature.",
        SIGNING,
        """signing/test_authorization: variants_that_mean_the_same_are_read reading_any_text_gives_a_header_or_a_refusal
        network/test_refused_signatures: malformed_signature_header_is_refused""",
    ),
    _clause(
        "header.digest",
        "A Digest header may be absent; where it is present it is the body's.",
        SIGNING,
        """network/test_refused_signatures: digest_header_that_is_not_the_bodys_is_refused
        network/test_refused_signatures: digest_header_of_the_body_is_accepted""",
    ),
    _clause(
        "header.gateway",
        "A gateway's header that is present must verify, and its signer be a gateway.",
        GUIDE,
        """network/test_searches: gateway_signature_over_other_bytes_is_refused
        network/test_searches: gateway_header_of_somebody_who_is_no_gateway_is_refused two_gateway_headers_are_refused
        network/test_refused_callbacks: bad_gateway_signature_on_a_catalogue_is_refused_as_the_gateways""",
    ),
    _clause(
        "header.gateway-name",
        "The gateway's header is X-Gateway-Authorization, and Proxy-Authorization where that is absent.",
        GUIDE,
        """exchange/test_credentials: newer_name_of_the_gateway_header_wins
        network/test_searches: older_name_of_the_gateway_header_is_read""",
    ),
    _clause(
        "bytes.sacred",
        "A signature holds for the bytes as they came and for no others that mean the same.",
        SIGNING,
        """network/test_refused_signatures: same_json_in_other_bytes_is_refused
        network/test_refused_signatures: each_of_64_flipped_bits_of_the_body_is_refused
        network/test_searches: what_a_provider_gets_is_what_the_consumer_signed
        network/test_searches: what_a_consumer_gets_is_what_the_provider_signed""",
    ),
    _clause(
        "registry.key",
        "A signature counts with the key the registry holds for that subscriber and key id, in a role that may send.",
        REGISTRY,
        """network/test_refused_signatures: signature_by_another_key_is_refused another_partys_key_id_does_not_help
        network/test_refused_signatures: unknown_subscriber_or_key_is_refused
        network/test_refused_signatures: provider_that_signs_a_request_is_refused_for_its_role
        network/test_refused_signatures: consumer_that_signs_a_callback_is_refused_for_its_role""",
    ),
    _clause(
        "registry.active",
        "Only SUBSCRIBED parties with a key in its validity are believed, and only they are searched.",
        REGISTRY,
        """network/test_refused_signatures: key_outside_its_validity_is_refused
        network/test_refused_signatures: subscriber_that_is_not_subscribed_is_refused
        network/test_searches: suspended_provider_is_not_asked""",
    ),
    _clause(
        "registry.away",
        "While the registry is away known keys serve for a while, and nobody else is believed.",
        REGISTRY,
        """network/test_refused_signatures: registry_out_of_reach_is_said_and_retried
        network/test_refused_signatures: key_seen_before_works_while_the_registry_is_away
        registry/test_cache: known_answer_serves_for_fifteen_minutes_while_the_registry_is_away""",
    ),
    _clause(
        "registry.signed",
        "Lookups are signed, and answered to members only.",
        REGISTRY,
        """registry/test_network: lookup_is_signed
        network/test_refused_signatures: registry_asks_for_a_signature_too
        gateway/network_registry/test_entrance: stranger_is_refused""",
    ),
    _clause(
        "json.strict",
        "A body is one JSON text in UTF-8 without repeated names, deep nesting, NaN, huge numbers, NUL or surrogates.",
        JSON,
        """network/test_refused_bodies: what_is_not_strict_json_is_refused nesting_of_exactly_32_is_accepted
        network/test_refused_bodies: too_many_values_are_refused""",
    ),
    _clause(
        "http.size",
        "A body has the size its path allows: 256 KiB, a catalogue 4 MiB, a chat 8 MiB.",
        ERRORS,
        """network/test_refused_bodies: body_over_the_limit_is_refused body_of_exactly_the_limit_is_accepted
        network/test_refused_bodies: each_path_has_its_own_limit""",
    ),
    _clause(
        "http.type",
        "A body is application/json and not encoded.",
        ERRORS,
        "network/test_refused_bodies: other_content_types_are_refused encoded_body_is_refused",
    ),
    _clause(
        "http.path",
        "An unknown path is 404, another method 405, an action nobody handles 400 with a handler to paste in the log.",
        ERRORS,
        """exchange/test_legs: path_and_way_lead_to_the_legs_answers_first
        network/test_refused_bodies: path_that_is_not_served_is_refused path_of_another_role_is_refused
        network/test_refused_bodies: action_without_handler_is_refused_and_the_log_prints_the_handler
        network/test_refused_signatures: http_method_and_path_are_refused_before_any_signature""",
    ),
    _clause(
        "context.action",
        "context.action fits the path.",
        CONTEXT,
        "network/test_refused_bodies: message_without_the_required_form_is_refused",
    ),
    _clause(
        "context.ids",
        "Ids are 1 to 255 printable ASCII characters; unknown names survive, case variants of known ones do not.",
        CONTEXT,
        """network/test_refused_bodies: unknown_names_and_ids_that_are_no_uuids_are_accepted
        network/test_refused_bodies: message_without_the_required_form_is_refused
        messages/test_context: a_case_variant_of_a_known_name_is_refused""",
    ),
    _clause(
        "context.sender",
        "The signer is the party the context names as sender; a missing id is taken from the key.",
        CONTEXT,
        """exchange/test_parties: sender_is_the_signer_or_is_not_named signer_that_is_not_the_named_sender_is_refused
        network/test_refused_signatures: signer_that_is_not_the_named_consumer_is_refused
        network/test_refused_bodies: missing_consumer_id_is_taken_from_the_key""",
    ),
    _clause(
        "context.recipient",
        "A message is addressed to us; a missing id is taken from the open transaction.",
        CONTEXT,
        """network/test_refused_bodies: message_for_another_provider_is_refused message_for_another_consumer_is_refused
        network/test_refused_bodies: new_conversation_that_names_no_provider_is_refused
        network/test_refused_bodies: known_conversation_may_leave_out_the_provider""",
    ),
    _clause(
        "context.address",
        "Answers go to the registered address, never to one from the message; the gateway's search must carry it.",
        CONTEXT,
        """network/test_searches: search_with_another_address_than_the_registered_one_is_refused
        network/test_searches: search_without_consumer_id_is_refused
        network/test_searches: other_address_elsewhere_is_ignored_and_the_registrys_is_used
        network/test_searches: consumer_that_has_moved_still_gets_its_answers_at_the_registered_address""",
    ),
    _clause(
        "context.ttl",
        "A message past its explicit ttl is refused with 410; without one it is never too old.",
        CONTEXT,
        """exchange/test_parties: ttl_counts_from_the_timestamp_or_from_arrival
        network/test_refused_callbacks: callback_past_its_own_ttl_is_refused callback_within_its_ttl_is_accepted""",
    ),
    _clause(
        "context.written",
        "What we write carries the whole context, with UTC time, and every required field of its message.",
        CONTEXT,
        """exchange/test_compose: context_is_whole_and_names_the_registered_addresses
        exchange/test_compose: every_missing_field_is_named_at_once
        network/test_flows: incomplete_question_is_not_sent request_that_leaves_out_its_city_is_answered""",
    ),
    _clause(
        "search.first",
        "A first search reaches every provider of its domain through the gateway, the same bytes, both signatures.",
        GUIDE,
        """network/test_searches: search_reaches_every_provider_and_its_answers_come_back
        network/test_searches: what_a_provider_gets_is_what_the_consumer_signed
        network/test_searches: matching_follows_the_networks_rules""",
    ),
    _clause(
        "search.second",
        "A search without a gateway's header is the second one; a bad header is refused, never ignored.",
        GUIDE,
        """network/test_searches: first_and_second_search_are_told_apart_by_the_gateways_header
        network/test_searches: bad_gateway_header_on_a_first_search_is_never_a_second_search
        network/test_searches: direct_search_that_names_no_provider_is_refused""",
    ),
    _clause(
        "search.sender-signature",
        "Behind a gateway the sender's own signature is required, in NHA's presets only checked where it is present.",
        GUIDE,
        """network/test_searches: forwarded_search_without_the_senders_signature_is_refused_by_default
        network/test_searches: forwarded_search_without_the_senders_signature_is_accepted_in_nhas_presets""",
    ),
    _clause(
        "search.nobody",
        "A search that concerns nobody is 404, one that cannot be matched for now 503; neither is ever an ACK.",
        ERRORS,
        """network/test_searches: search_that_concerns_nobody_is_refused
        network/test_searches: search_while_the_registry_is_away_is_refused_for_now""",
    ),
    _clause(
        "search.limit",
        "One search reaches at most so many providers, in an order that moves on.",
        DELIVERY,
        """network/test_searches: fan_out_is_limited_and_the_turn_moves_on
        gateway/test_matching: everybody_has_his_turn""",
    ),
    _clause(
        "search.silence",
        "A provider may leave a search unanswered; answers stream in until the asker's wait ends.",
        GUIDE,
        """network/test_flows: handler_that_returns_nothing_for_a_broadcast_stays_silent
        network/test_flows: answers_stream_in_and_end_with_the_wait""",
    ),
    _clause(
        "on_search.asked",
        "A catalogue is passed on while its search is open, and only from providers that were asked.",
        CALLBACKS,
        """network/test_refused_callbacks: catalogue_for_an_unknown_transaction_is_refused_at_the_gateway
        network/test_refused_callbacks: catalogue_of_a_provider_that_was_not_asked_is_refused
        network/test_searches: catalogue_for_another_consumers_search_is_refused
        network/test_searches: catalogue_after_the_search_closed_is_refused
        gateway/test_open_searches: anybody_else_and_any_other_time_finds_nothing""",
    ),
    _clause(
        "on_search.cap",
        "One provider sends at most 20 catalogues in one transaction.",
        DELIVERY,
        "network/test_refused_callbacks: twenty_catalogues_of_one_provider_are_the_most",
    ),
    _clause(
        "flow.direct",
        "Slots, select, init, confirm, status and cancel go straight between the two, each answered by its callback.",
        GUIDE,
        """network/test_flows: question_gets_its_answer_straight_from_the_provider
        network/test_flows: booking_goes_on_from_the_answer_of_the_search
        network/test_searches: other_messages_do_not_come_through_a_gateway""",
    ),
    _clause(
        "flow.callback",
        "A question has exactly one answer, also when its handler fails; a business no is an error in it.",
        GUIDE,
        """network/test_flows: handler_that_raises_still_answers handler_that_returns_no_whole_answer_still_answers
        network/test_flows: decline_arrives_as_declined failed_order_tells_the_order_and_why""",
    ),
    _clause(
        "flow.news",
        "on_update and on_message go both ways; on_status and on_cancel may come unasked; all within a conversation.",
        GUIDE,
        """network/test_flows: news_reaches_the_consumer_unasked news_reaches_the_provider
        network/test_refused_callbacks: news_of_a_provider_the_consumer_never_asked_is_refused
        network/test_refused_callbacks: report_of_a_consumer_the_provider_never_talked_with_is_refused""",
    ),
    _clause(
        "flow.consumer-state",
        "A consumer reports DOCTOR_NO_SHOW and no other state.",
        GUIDE,
        "network/test_refused_bodies: consumer_may_set_one_state_only",
    ),
    _clause(
        "callback.echo",
        "A callback echoes its request's message_id; one that does not answers the oldest open request.",
        CALLBACKS,
        """exchange/test_admission: exact_message_id_wins_over_the_older_request
        exchange/test_admission: other_message_id_answers_the_oldest_open_request_of_the_transaction
        exchange/test_admission: published_conversation_is_understood_though_each_callback_has_an_id_of_its_own""",
    ),
    _clause(
        "callback.open",
        "A callback that fits no open request is 404.",
        CALLBACKS,
        "network/test_refused_callbacks: callback_for_an_unknown_transaction_is_refused",
    ),
    _clause(
        "callback.counterpart",
        "Only the provider that was asked answers.",
        CALLBACKS,
        """network/test_refused_callbacks: confirmation_by_another_provider_is_refused
        exchange/test_admission: answer_of_another_party_or_transaction_is_refused""",
    ),
    _clause(
        "callback.late",
        "A late callback of a known transaction is taken, handled and marked.",
        CALLBACKS,
        """network/test_refused_callbacks: late_callback_without_a_ttl_is_accepted_and_marked_late
        network/test_flows: late_answer_reaches_its_handler_and_is_marked""",
    ),
    _clause(
        "audit.copies",
        "on_confirm, on_status, on_update and on_cancel go to the gateway a second time, byte for byte.",
        AUDIT,
        """network/test_flows: gateway_gets_the_very_bytes_of_the_callback other_callbacks_have_no_audit_copy
        network/test_flows: other_services_send_no_audit_copies""",
    ),
    _clause(
        "receipt.ack",
        "ACK means verified, valid and kept; only 200 with an ACK and no error counts as one.",
        RECEIPTS,
        """exchange/test_retry: reply_is_read_as_the_table_says whatever_a_peer_answers_is_read
        messages/test_receipt: an_acceptance_with_an_error_that_says_something_is_a_refusal""",
    ),
    _clause(
        "receipt.nack",
        "A refusal has its status, code and fixed sentence, changes nothing and quotes nothing.",
        ERRORS,
        """exchange/test_entrance: every_fault_is_answered_as_the_table_says unforeseen_error_quotes_nothing
        network/test_refused_signatures: missing_signature_is_refused_with_a_challenge""",
    ),
    _clause(
        "receipt.compatible",
        "In NHA's presets the same NACK comes with HTTP 200, and is read as a refusal.",
        RECEIPTS,
        """network/test_refused_signatures: peers_of_nha_get_refusals_with_http_200
        network/test_refused_bodies: peers_of_nha_get_refused_json_with_http_200
        network/test_refused_callbacks: peers_of_nha_get_refused_callbacks_with_http_200
        network/test_flows: question_refused_with_http_200_raises_a_delivery_error""",
    ),
    _clause(
        "repeat.header",
        "In profile UHI the hop's header is taken once; in BECKN a second one has no effect.",
        DELIVERY,
        """network/test_repeats: same_header_a_hundred_times_has_one_effect respelled_header_is_still_the_same_header
        network/test_repeats: forwarded_search_may_carry_the_senders_header_again
        network/test_repeats: replayed_gateway_header_is_refused_as_the_gateways""",
    ),
    _clause(
        "repeat.body",
        "The same bytes under a fresh header get their ACK again and have no second effect.",
        DELIVERY,
        """network/test_repeats: same_body_under_a_hundred_fresh_headers_has_one_effect
        network/test_repeats: same_search_a_hundred_times_is_fanned_out_once
        network/test_repeats: same_callback_a_hundred_times_is_handled_once
        network/test_repeats: same_bytes_after_the_signature_expired_are_refused""",
    ),
    _clause(
        "repeat.conflict",
        "Other bytes under the message_id of init, confirm, cancel or their callbacks are 409, elsewhere a message.",
        DELIVERY,
        """network/test_repeats: other_body_under_the_same_message_id_is_refused
        network/test_repeats: other_body_of_a_callback_under_the_same_message_id_is_refused
        network/test_repeats: other_body_under_the_same_message_id_is_a_further_message_elsewhere
        network/test_repeats: one_message_id_may_serve_different_actions one_message_id_may_be_used_by_two_senders""",
    ),
    _clause(
        "send.again",
        "No answer, 5xx and 429 are tried again with the same message_id; a bad signature is signed again once.",
        DELIVERY,
        """network/test_faults: dropped_message_is_sent_again message_whose_ack_was_lost_has_one_effect
        network/test_faults: duplicated_message_has_one_effect corrupted_message_is_refused_and_sent_again
        network/test_faults: message_that_is_always_corrupted_is_given_up_after_the_second_time
        exchange/test_retry: letter_ends_or_waits_as_verdict_schedule_and_deadline_say
        exchange/test_retry: our_own_refusals_are_read_as_they_are_meant""",
    ),
    _clause(
        "send.order",
        "Order of arrival decides nothing.",
        DELIVERY,
        """network/test_faults: overtaken_message_has_one_effect
        network/test_faults: message_that_arrives_after_its_sender_gave_up_has_one_effect
        faults/test_random_network: no_message_has_two_effects_and_no_spoiled_one_has_any""",
    ),
    _clause(
        "send.deadline",
        "Others' bytes are relayed until their signature or ttl ends, and not later.",
        DELIVERY,
        """network/test_faults: relay_ends_with_the_senders_signature relay_ends_with_the_ttl_where_that_is_shorter
        network/test_faults: search_that_waited_past_its_deadline_is_not_sent_and_is_seen
        network/test_faults: relay_keeps_the_senders_signature_and_renews_its_own""",
    ),
    _clause(
        "send.patience",
        "What an appointment depends on is tried for three days.",
        DELIVERY,
        """network/test_faults: critical_callback_is_tried_for_three_days
        exchange/test_retry: critical_pauses_follow_the_long_schedule each_leg_has_its_urgency_and_schedule
        exchange/test_retry: critical_letter_is_dead_after_twelve_attempts_and_three_days
        faults/test_random_network: what_an_appointment_depends_on_arrives_however_much_is_lost""",
    ),
    _clause(
        "send.bulkheads",
        "A slow or hostile peer delays nobody else.",
        DELIVERY,
        """network/test_faults: slow_provider_does_not_delay_another
        exchange/test_lanes: lane_lets_eight_through_at_a_time
        faults/test_hostile_peers: ten_black_holes_cost_ten_honest_hospitals_nothing
        faults/test_hostile_peers: search_is_answered_by_the_honest_though_one_peer_misbehaves""",
    ),
    _clause(
        "send.log",
        "Every hop is a line of the call log: who, what, when, outcome, attempt; never a body.",
        DELIVERY,
        """exchange/test_sending: each_attempt_is_a_line_of_the_call_log
        exchange/test_deliveries: what_was_not_delivered_is_said
        exchange/test_entrance: what_the_server_refuses_is_logged_like_the_rest""",
    ),
    _clause(
        "send.death",
        "A peer's death costs a conversation its answer at most, never a second effect or another's conversation.",
        DELIVERY,
        """faults/test_dying_hospital: question_to_a_dead_hospital_is_tried_until_it_is_back
        faults/test_dying_hospital: quick_question_to_a_dead_hospital_is_given_up_and_said
        faults/test_dying_hospital: one_hospitals_death_is_not_the_others""",
    ),
    _clause(
        "stop.drain",
        "A program that stops refuses for now and ends what it has ACKed, callbacks included.",
        DELIVERY,
        """network/test_faults: program_that_stops_refuses_for_now_and_ends_what_is_under_way
        exchange/test_deliveries: drain_waits_for_what_follows_too
        exchange/test_deliveries: drain_leaves_what_is_stored_to_the_next_life
        network/test_mounting: mounted_participant_stops_with_its_application""",
    ),
    _clause(
        "kept.replay",
        "What was acknowledged is done though the process dies: from its row, and once.",
        DELIVERY,
        """exchange/test_replay: message_from_the_journal_is_the_message_that_came
        exchange/test_replay: row_that_is_not_what_was_accepted_is_refused_as_our_own_fault
        exchange/test_facts: facts_are_read_as_they_were_written
        faults/test_restarts: question_is_answered_once_wherever_the_hospital_died_after_its_ack
        faults/test_restarts: fan_out_that_was_interrupted_is_completed_with_everybody_asked_once
        faults/test_restarts: catalogue_that_was_acknowledged_is_relayed_in_the_next_life
        faults/test_restarts: message_that_came_again_to_the_next_life_has_one_effect""",
    ),
    _clause(
        "kept.crash",
        "Kill any process at any moment: each acknowledged message has its effect exactly once.",
        DELIVERY,
        """faults/test_kill: gateway_that_dies_at_every_point_loses_and_doubles_nothing
        faults/test_kill: worker_that_dies_at_every_point_loses_and_doubles_nothing
        faults/test_kill: hospital_that_dies_at_every_point_books_once
        faults/test_kill: programs_that_are_killed_at_any_time_lose_and_double_nothing
        faults/test_simulation: every_promise_is_kept_whatever_crashes_and_gets_lost
        faults/test_simulation: a_promise_that_is_broken_on_purpose_is_found
        faults/test_recovery: ten_thousand_letters_of_an_earlier_life_are_delivered_and_accounted_for""",
    ),
    _clause(
        "kept.services",
        "A database, a Redis or a clock that fails costs no message and doubles none.",
        DELIVERY,
        """faults/test_database_faults: postgres_that_is_stopped_twice_under_load_costs_no_message
        faults/test_database_faults: redis_that_is_stopped_under_load_costs_no_message
        faults/test_database_faults: a_tenth_of_all_transactions_that_fail_costs_no_message
        faults/test_clock_jumps: clock_that_jumps_makes_no_storm_and_ends_nothing_twice
        faults/test_toxics: whatever_is_asked_over_a_spoiled_line_ends_once""",
    ),
    _clause(
        "kept.slot",
        "No slot is sold twice, whoever confirms at once and whoever dies.",
        DELIVERY,
        """faults/test_booking_race: of_all_late_confirms_of_ten_slots_ten_are_booked
        faults/test_booking_race: ten_are_booked_whatever_the_order_they_come_in
        faults/test_booking_machine: a_desk_does_what_its_model_does_whoever_dies""",
    ),
    _clause(
        "kept.processes",
        "Whichever process a message comes to, the program knows it.",
        DELIVERY,
        """network/test_two_processes: answer_that_comes_to_another_process_is_heard_by_whoever_asked
        network/test_two_processes: same_message_at_two_processes_has_one_effect
        network/test_two_processes: catalogue_that_comes_to_another_gateway_process_finds_its_search""",
    ),
    _clause(
        "kept.away",
        "There is no ACK without a row; what follows from one waits for a storage that is away.",
        DELIVERY,
        """test_participant: message_that_cannot_be_remembered_is_refused_for_now
        test_participant: question_that_cannot_be_remembered_is_not_sent
        exchange/test_deliveries: storage_that_is_away_for_a_while_loses_nothing""",
    ),
    _clause(
        "kept.pin",
        "A PIN is not kept longer than it takes to deal with its message.",
        AUDIT,
        """network/test_flows_on_databases: booking_leaves_nothing_readable_on_disk
        test_participant: body_with_a_pin_is_forgotten_once_it_is_dealt_with
        network/test_elsewhere: answer_that_shows_a_pin_is_there_until_it_has_been_heard""",
    ),
    _clause(
        "correlate.once",
        "Of several answers that come at once, one answers the question.",
        CALLBACKS,
        """network/test_at_once: question_is_answered_once_though_five_answers_come_at_once
        network/test_at_once: two_answers_at_once_find_a_question_each
        network/test_at_once: hundred_copies_at_once_have_one_effect""",
    ),
    _clause(
        "correlate.anywhere",
        "An answer finds whoever asked in any process of the consumer, and is heard once.",
        CALLBACKS,
        """network/test_elsewhere: answer_that_another_process_took_is_heard_by_whoever_asked
        network/test_elsewhere: each_answer_of_another_process_is_heard_once
        exchange/test_answers: answer_that_comes_two_ways_is_heard_once""",
    ),
    _clause(
        "send.line",
        "News of an order are delivered in the order in which they were made.",
        DELIVERY,
        """exchange/test_deliveries: letter_of_a_line_waits_for_the_one_before_it_through_all_its_retries
        exchange/test_deliveries: retry_goes_on_in_the_next_life_when_its_time_comes""",
    ),
    _clause(
        "send.breakers",
        "Who does not answer is left alone for a while; a restart does not forget it.",
        DELIVERY,
        """exchange/test_breakers: breaker_opens_at_half_of_twenty_calls_or_five_without_answer
        exchange/test_breakers: breaker_goes_on_after_a_restart
        exchange/test_deliveries: peer_that_is_left_alone_is_not_posted_to_and_costs_no_attempt""",
    ),
    _clause(
        "refuse.full",
        "Too much waiting is told before the queues are full; orders go before searches.",
        DELIVERY,
        """exchange/test_pressure: low_mark_refuses_discovery_and_high_mark_all_but_status_and_cancel
        gateway/test_open_searches: full_gateway_refuses_and_forgets_nobody
        network/test_limits: burst_of_one_consumer_is_cut_and_another_one_is_served""",
    ),
    _clause(
        "privacy.nothing_shown",
        "Nothing of a patient stands in a log, an error, the call log, a file or what an operator is shown.",
        PRIVACY,
        """network/test_canary: nothing_that_is_written_tells_of_a_patient""",
    ),
    _clause(
        "trust.registry",
        "Where the registry's keys are known, an answer that is not its own, or older than what is known, is none.",
        REGISTRY,
        """registry/test_signed_answers: forged_answer_is_ignored_and_the_cache_kept
        registry/test_callbacks: nobody_else_is_heard
        exchange/test_together: each_path_goes_to_its_entrance
        registry/test_signed_answers: answer_older_than_what_is_known_is_ignored
        network/test_trust: forged_answers_of_the_registry_change_nothing nobody_is_introduced_by_a_forged_answer""",
    ),
    _clause(
        "trust.ends",
        "A key that is revoked is refused within 2 s where changes are pushed, else within 30 s.",
        REGISTRY,
        """network/test_trust: revoked_key_is_refused_at_once_where_changes_are_pushed
        network/test_trust: revoked_key_is_refused_after_half_a_minute_without_pushes
        network/test_trust: revoked_key_is_refused_while_the_registry_is_away
        network/test_trust: signer_suspended_while_its_message_is_handled
        network/test_trust: suspended_member_that_is_resumed_is_heard_at_once
        network/test_trust: suspended_provider_is_searched_no_more_at_once""",
    ),
    _clause(
        "trust.rotation",
        "A key is changed for another without a message being refused.",
        REGISTRY,
        """network/test_trust: key_is_changed_under_load_without_a_refused_message
        network/test_trust: key_that_is_not_held_is_not_changed_to
        test_frontage: participant_of_an_open_network_knows_its_registry_and_both_its_keys""",
    ),
    _clause(
        "sign.clock",
        "Beyond 5 s off the registry's time nothing is signed; beyond half a second the operator is told.",
        DELIVERY,
        """network/test_clock: program_with_a_wrong_clock_signs_nothing_until_it_is_right
        network/test_clock: letters_wait_for_a_right_clock_and_are_not_lost clock_that_is_a_little_off_is_only_told
        exchange/test_clock_offset: signing_stops_beyond_five_seconds
        exchange/test_stamps: clock_that_was_set_back_makes_no_header_that_lives_too_long""",
    ),
    _clause(
        "limits.rates",
        "Who asks too often is told when to ask again; nobody else notices.",
        LIMITS,
        """network/test_limits: burst_of_one_consumer_is_cut_and_another_one_is_served who_waits_as_told_is_served_again
        network/test_limits: provider_that_floods_one_transaction_is_heard_twenty_times
        exchange/test_rates: burst_passes_and_then_the_rate one_subscriber_does_not_use_up_anothers_rate""",
    ),
    _clause(
        "limits.bad_signatures",
        "Bad signatures close the door for their address and key, for nobody else, and never for a gateway.",
        LIMITS,
        """network/test_limits: sixth_bad_signature_is_refused_before_it_is_computed
        network/test_limits: bad_signatures_of_one_key_are_not_another_keys
        network/test_limits: gateway_is_not_silenced_for_what_others_signed""",
    ),
    _clause(
        "limits.slow_peers",
        "Providers that do not answer cost the others nothing; one that comes back is probed first.",
        LIMITS,
        """faults/test_gateway_cases: thirty_black_holes_among_a_hundred_cost_the_others_nothing
        faults/test_gateway_cases: peer_that_fails_and_comes_back_is_probed_and_not_run_over""",
    ),
    _clause(
        "golive.2",
        "An Ed25519 key pair is made, its public half exported; what is sent is signed with it over BLAKE2b-512.",
        GOLIVE,
        """cli/test_keys: new_key_goes_to_a_file_that_only_its_owner_reads private_key_converts_to_public_forms
        signing/test_signing_string: digest_is_blake2b_512_of_the_raw_bytes
        cli/test_sign: published_vector_is_reproduced""",
    ),
    _clause(
        "golive.3",
        "Subscriber id, key, addresses, gateway and network are settings; what is missing is named at the start.",
        GOLIVE,
        """test_participant: settings_make_a_participant every_missing_setting_is_named_at_once
        participants/hospital/test_bootstrap: served_by_its_name""",
    ),
    _clause(
        "golive.5",
        "A program tells whether it is ready to be called.",
        GOLIVE,
        "http/test_health: ready_program_shows_each_check one_check_that_is_not_ok_makes_the_program_unready",
    ),
    _clause(
        "golive.6",
        "Every path between the two sides is served, and answered.",
        GOLIVE,
        """participants/hospital/test_bootstrap: program_serves_network_and_people_on_one_port
        network/test_flows: question_gets_its_answer_straight_from_the_provider news_reaches_the_consumer_unasked""",
    ),
    _clause(
        "golive.8",
        "Doctors are found by name, HPR id, speciality, GPS, state and district, city, pincode and facility.",
        GOLIVE,
        """participants/hospital/test_golive: doctors_are_found_by_every_filter
        participants/patient/search/test_flow: every_filter_finds_its_doctors
        booking/test_matching: filters_combine""",
    ),
    _clause(
        "golive.9",
        "init, on_init, confirm and on_confirm make an appointment.",
        GOLIVE,
        """participants/hospital/test_flow: an_appointment_from_search_to_its_history
        booking/test_flow: a_patient_finds_holds_confirms_and_cancels""",
    ),
    _clause(
        "golive.10",
        "The PIN arrives, comes back through status after a restart, and is forgotten when its day is over.",
        GOLIVE,
        """participants/hospital/test_golive: application_hears_how_the_visit_goes
        booking/test_flow: the_pin_comes_back_after_a_restart a_pin_is_forgotten_when_its_day_is_over""",
    ),
    _clause(
        "golive.11",
        "status tells the whole order, PIN included.",
        GOLIVE,
        "booking/test_attending: status_tells_the_full_order_with_its_pin status_adds_what_only_the_hospital_knows",
    ),
    _clause(
        "golive.12",
        "on_update tells APPOINTMENT_STARTED, COMPLETED and CANCELLED.",
        GOLIVE,
        """participants/hospital/test_golive: application_hears_how_the_visit_goes
        booking/test_hearing: update_that_was_not_asked_for_is_taken
        booking/test_flow: a_visit_is_told_from_start_to_end""",
    ),
    _clause(
        "golive.13",
        "The application reports DOCTOR_NO_SHOW; it counts where the doctor could still have come.",
        GOLIVE,
        """participants/hospital/test_golive: doctor_who_did_not_come_is_on_the_desks_list
        booking/test_flow: a_doctor_who_did_not_come_is_reported_once_and_not_after_the_end
        booking/test_attending: a_doctor_who_treated_the_patient_did_come
        booking/test_attending: a_report_before_the_appointment_changes_nothing
        network/test_refused_bodies: consumer_may_set_one_state_only""",
    ),
    _clause(
        "golive.14",
        "An empty on_search, a slot that is gone and the terms of cancellation are dealt with.",
        GOLIVE,
        """participants/hospital/test_golive: nothing_found_is_told_by_an_empty_catalogue slot_that_is_gone_is_declined
        booking/test_discovery: nothing_found_is_an_empty_catalogue_or_silence
        booking/test_terms: a_text_says_what_it_must""",
    ),
    _clause(
        "golive.15",
        "Terms are shown before confirm; it goes out, and is taken, with all of them agreed only.",
        GOLIVE,
        """booking/test_flow: a_term_that_is_not_agreed_sends_nothing
        booking/test_offers: a_term_left_out_is_not_agreed
        booking/test_terms: one_term_still_initiated_is_refused an_altered_term_is_refused a_missing_term_is_refused""",
    ),
    _clause(
        "golive.16",
        "What was found is kept as long as its provider allows, 48 hours at most, and asked for live beside that.",
        GOLIVE,
        """participants/patient/search/test_wanted: lifetime_of_what_is_cached
        participants/patient/search/test_flowing: provider_that_wants_nothing_cached_is_not
        participants/patient/search/test_flowing: cached_doctor_has_slots_in_a_conversation_of_ones_own""",
    ),
    _clause(
        "golive.17",
        "The consultation's cases: holds, terms, order ids, states, cancellations and records, allowed and refused.",
        GOLIVE,
        """booking/test_states: what_may_happen_and_by_whom_is_what_is_written_out an_end_has_no_way_out
        booking/test_states: every_move_of_the_network_outside_the_table_is_refused
        booking/test_holding: an_init_that_does_not_fit_holds_nothing of_two_inits_for_one_slot_one_is_held
        booking/test_holding: a_hold_is_released_at_fifteen_minutes_exactly
        booking/test_holding: order_id_that_a_consumer_made_up_in_its_init_is_no_order
        booking/test_holding: a_confirm_that_is_not_of_the_offer_books_nothing_and_keeps_the_hold
        booking/test_holding: a_confirm_after_the_hold_books_what_is_still_free
        booking/test_attending: a_cancel_is_for_the_patient_and_to_cancelled the_hospital_cancels_and_tells_unasked
        booking/test_attending: a_consultation_starts_after_the_pin_and_ends_with_its_records
        booking/test_sql_bookings: nothing_of_a_patient_and_no_pin_is_on_disk_in_clear
        booking/test_flow: patients_and_pins_are_in_no_log
        network/test_flows: gateway_gets_the_very_bytes_of_the_callback
        network/test_refused_signatures: each_of_64_flipped_bits_of_the_body_is_refused expired_signature_is_refused
        network/test_refused_signatures: key_outside_its_validity_is_refused
        network/test_refused_signatures: subscriber_that_is_not_subscribed_is_refused
        network/test_refused_signatures: unknown_subscriber_or_key_is_refused
        network/test_repeats: replayed_header_is_refused_over_either_network""",
    ),
    _clause(
        "golive.18",
        "What was sent and received can be exported as evidence.",
        GOLIVE,
        """cli/test_calls: transaction_as_json_is_the_record_and_its_hops
        cli/test_calls: hops_are_listed_newest_first_with_their_transactions""",
    ),
)
