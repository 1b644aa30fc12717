/* SPDX-License-Identifier: Apache-2.0
 *
 * reference.h - written by reference.py; see there. */
#define REFERENCE_KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define REFERENCE_KEY_ID "4e91477b"
#define REFERENCE_OTHER_KEY_ID "8e737862"
static const struct { const char *project, *kind, *value, *pseudonym; } reference_pseudonyms[] = {
    { "ward-7", "mrn", "4711", "4e91477b-hjcnftq47vzm3bo5nkyfewhk" },
    { "ward-8", "mrn", "4711", "4e91477b-etauuls7adyvyyudhft636zl" },
    { "ward-7", "visit", "4711", "4e91477b-s2zrkqmh4d7co34hwhjhi46j" },
    { "ward-7", "mrn", "4712", "4e91477b-fjzsrjpmd4q4qvhd5ofirdkh" },
    { "ward-7m", "rn", "4711", "4e91477b-zf5gkdgyknldf5nxpkjwh66d" },
    { "ward-7", "subject", "Maria Musterfrau", "4e91477b-hua33yuag73h3rlrqzzol5qj" },
    { "x", "y", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "4e91477b-qlrmdgc2ryaw4clemmf3em4k" },
    { "ward-7", "mrn", "\303\244\342\202\254", "4e91477b-kcpikecn36td2tdiqp6zf4jd" },
};
static const struct { const char *project, *subject; unsigned most, steps; } reference_shifts[] = {
    { "ward-7", "a", 364, 242 },
    { "ward-7", "a", 52, 34 },
    { "ward-7", "b", 364, 86 },
    { "ward-8", "a", 364, 363 },
    { "ward-7", "Maria Musterfrau", 36500, 35288 },
};
static const struct { uint64_t source, seq, new_source, new_seq; } reference_ids[] = {
    { 0x0u, 0x0u, 0x30292b6da1b3ba87u, 0x99a138737aea9bf2u },
    { 0x1u, 0x0u, 0xa287817fea69dfa2u, 0xea73344c813b147bu },
    { 0x0u, 0x1u, 0x31e9681b157f7afeu, 0x240588ffbd108731u },
    { 0x123456789abcdefu, 0xfedcba9876543210u, 0xad3b30967ef46f79u, 0xb64c9dd87b3f67d5u },
};
static const struct { const char *subject, *stream, *name; } reference_streams[] = {
    { "", "ecg", "s-l5dw6rxtejf2p6nm" },
    { "", "vitals/latest", "s-yncbn74cb5udx42u" },
    { "a", "ecg", "s-zcrxos7g3v24k3jq" },
    { "ae", "cg", "s-sqy3toiegyztmcez" },
};
