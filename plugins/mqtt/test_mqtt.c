/* SPDX-License-Identifier: Apache-2.0
 *
 * test_mqtt.c - addresses of brokers, texts, reason codes. */
#include <afferent/testkit.h>

#include <string.h>

#include "mqtt/link.h"
#include "mqtt/reason.h"

TEST(an_address_has_a_scheme_a_host_and_a_port)
{
    struct mqtt_address a;

    assert_null(mqtt_address_read("mqtts://broker.example:8884", &a));
    assert_string_equal(a.host, "broker.example");
    assert_int_equal(a.port, 8884);
    assert_true(a.tls && !a.is_v6);
    assert_null(mqtt_address_read("mqtt://[2001:db8::1]", &a));
    assert_string_equal(a.host, "2001:db8::1");
    assert_int_equal(a.port, 1883);
    assert_true(!a.tls && a.is_v6);
    assert_null(mqtt_address_read("mqtts://10.0.0.1", &a));
    assert_int_equal(a.port, 8883);
}

TEST(an_address_with_anything_else_is_refused)
{
    static const char *const bad[] = { "", "broker", "tcp://x", "mqtt://", "mqtts://:1", "mqtt://a b", "mqtt://a/b", "mqtt://a:",
                                       "mqtt://a:0", "mqtt://a:65536", "mqtt://a:99999999999", "mqtt://a:1x", "mqtt://u:p@a",
                                       "mqtt://[::1", "mqtt://[]", "mqtt://[::1]x", "MQTT://a", "mqtt://a:-1", "mqtt://a\n" };
    struct mqtt_address a;
    char longest[400];
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(mqtt_address_read(bad[i], &a));
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "mqtt://", 7);
    longest[sizeof longest - 1] = '\0';
    assert_non_null(mqtt_address_read(longest, &a));
}

TEST(text_of_a_packet_is_utf8_without_control_characters)
{
    static const char *const fine[] = { "", "a", "bett/3", "Bett \xc3\xa4", "\xf0\x9f\x8f\xa5", "\xef\xbf\xbd" };
    static const char *const bad[] = { "\x01", "a\n", "\x7f", "\xc2\x85", "\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                                       "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xc3", "\xe2\x82", "a\x80" };
    size_t i;

    for (i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_true(mqtt_text_is_fine(fine[i]));
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(mqtt_text_is_fine(bad[i]));
}

TEST(a_puback_says_what_becomes_of_its_record)
{
    assert_int_equal(mqtt_puback_status(0x00), AFF_OK);
    assert_int_equal(mqtt_puback_status(0x10), AFF_OK);
    assert_int_equal(mqtt_puback_status(0x97), AFF_ERR_IO);
    assert_int_equal(mqtt_puback_status(0x91), AFF_ERR_IO);
    assert_int_equal(mqtt_puback_status(0x87), AFF_ERR_DATA);
    assert_int_equal(mqtt_puback_status(0x90), AFF_ERR_DATA);
    assert_int_equal(mqtt_puback_status(0x95), AFF_ERR_DATA);
    assert_int_equal(mqtt_puback_status(0x99), AFF_ERR_DATA);
    assert_int_equal(mqtt_puback_status(0xff), AFF_ERR_DATA);
    assert_true(mqtt_end_blames_message(0x95));
    assert_false(mqtt_end_blames_message(0x8b));
    assert_false(mqtt_end_blames_message(0));
}

TEST(each_code_has_words)
{
    int code;

    for (code = -1; code < 300; code++) {
        assert_non_null(mqtt_reason_text(code));
        assert_non_null(mqtt_refusal_text(code));
    }
    assert_string_equal(mqtt_reason_text(0x87), "not authorised");
    assert_string_equal(mqtt_refusal_text(4), "bad user name or password");
}

AFF_TEST_MAIN(an_address_has_a_scheme_a_host_and_a_port, an_address_with_anything_else_is_refused,
              text_of_a_packet_is_utf8_without_control_characters, a_puback_says_what_becomes_of_its_record,
              each_code_has_words)
