/* value.c - one value of the store, as bytes. See value.h. */
#include "keep/value.h"

#include <string.h>

#include <sodium.h>
#include <xxhash.h>

enum {
    CHECK = 8,
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    GROUP_BYTES = 6,
    PAGE = 4096,
    PAGE_HEAD = 16,
    NODE_HEAD = 8,
    NODE_MOST = 2038, /* a node above this gets pages of its own */
    COUNTED = 62
};

const uint8_t value_plain[4] = { 0xaf, 'v', 'P', 1 };
const uint8_t value_sealed[4] = { 0xaf, 'v', 'S', 1 };

static void number_put(uint8_t *to, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t number_get(const uint8_t *from, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t)from[i] << (8 * i);
    return number;
}

bool seal_set(struct seal *seal, const uint8_t *key)
{
    *seal = (struct seal){ .is_on = key != NULL };
    if (!key)
        return true;
    if (sodium_init() < 0)
        return false;
    memcpy(seal->key, key, sizeof seal->key);
    return true;
}

void seal_forget(struct seal *seal)
{
    explicit_bzero(seal, sizeof *seal);
}

void seal_id(const struct seal *seal, uint8_t ret_id[SEAL_ID])
{
    static const char what[] = "afferent store key 1";

    memset(ret_id, 0, SEAL_ID);
    if (seal->is_on)
        crypto_generichash(ret_id, SEAL_ID, (const uint8_t *)what, sizeof what - 1, seal->key, SEAL_KEY);
}

uint64_t value_database(const char *name)
{
    return XXH3_64bits(name, strlen(name));
}

static size_t overhead(bool is_sealed)
{
    return is_sealed ? (size_t)NONCE + TAG : CHECK;
}

size_t value_size(const struct seal *seal, size_t key_size, size_t size)
{
    if (key_size == 0 || key_size > VALUE_KEY_MOST || size > UINT32_MAX / 2)
        return SIZE_MAX;
    return VALUE_HEAD + key_size + overhead(seal->is_on) + size;
}

static uint64_t check_of(const uint8_t *head, size_t head_size, const void *payload, size_t size)
{
    return XXH3_64bits_withSeed(payload, size, XXH3_64bits(head, head_size));
}

void value_write(const struct seal *seal, const struct value_place *place, uint64_t group,
                 const void *bytes, size_t size, uint8_t *to)
{
    static const uint8_t nothing[1];
    const void *from = size ? bytes : nothing;
    uint8_t *body = to + VALUE_HEAD + place->key_size;

    memcpy(to, seal->is_on ? value_sealed : value_plain, 4);
    number_put(to + 4, size, 4);
    number_put(to + 8, place->database, 8);
    number_put(to + 16, place->key_size, 2);
    number_put(to + 18, group, GROUP_BYTES);
    memcpy(to + VALUE_HEAD, place->key, place->key_size);
    if (!seal->is_on) {
        if (size)
            memcpy(body + CHECK, from, size);
        number_put(body, check_of(to, VALUE_HEAD + place->key_size, from, size), CHECK);
        return;
    }
    randombytes_buf(body, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(body + NONCE, NULL, from, size, to,
                                               VALUE_HEAD + place->key_size, NULL, body, seal->key);
}

bool value_look(const void *bytes, size_t room, struct value *ret_value)
{
    const uint8_t *b = bytes;
    struct value v = { .head = b };

    if (room < VALUE_HEAD)
        return false;
    v.is_sealed = !memcmp(b, value_sealed, 4);
    if (!v.is_sealed && memcmp(b, value_plain, 4) != 0)
        return false;
    v.size = (size_t)number_get(b + 4, 4);
    v.place.database = number_get(b + 8, 8);
    v.place.key_size = (size_t)number_get(b + 16, 2);
    v.group = number_get(b + 18, GROUP_BYTES);
    if (v.place.key_size == 0 || v.place.key_size > VALUE_KEY_MOST)
        return false;
    v.place.key = b + VALUE_HEAD;
    v.body = b + VALUE_HEAD + v.place.key_size;
    v.whole = VALUE_HEAD + v.place.key_size + overhead(v.is_sealed) + v.size;
    if (v.whole > room)
        return false;
    *ret_value = v;
    return true;
}

bool value_open(const struct seal *seal, const struct value *v, void *to)
{
    size_t head = VALUE_HEAD + v->place.key_size;

    if (v->is_sealed != seal->is_on)
        return false;
    if (v->is_sealed) {
        const uint8_t *text = v->body + NONCE;

        return crypto_aead_xchacha20poly1305_ietf_decrypt_detached(to, NULL, text, v->size, text + v->size,
                                                                   v->head, head, v->body, seal->key) == 0;
    }
    if (number_get(v->body, CHECK) != check_of(v->head, head, v->body + CHECK, v->size))
        return false;
    if (to && v->size)
        memcpy(to, v->body + CHECK, v->size);
    return true;
}

bool value_read(const struct seal *seal, const struct value_place *place, const void *bytes, size_t room,
                struct value *ret_value)
{
    return value_look(bytes, room, ret_value) && ret_value->whole == room &&
           ret_value->is_sealed == seal->is_on && ret_value->place.database == place->database &&
           ret_value->place.key_size == place->key_size &&
           !memcmp(ret_value->place.key, place->key, place->key_size);
}

uint64_t value_cost(const struct seal *seal, size_t key_size, size_t size)
{
    size_t whole = VALUE_HEAD + key_size + overhead(seal->is_on) + size;
    size_t more = overhead(seal->is_on) - CHECK + (key_size > 8 ? 2 * (key_size - 8) : 0);

    if (NODE_HEAD + key_size + whole > NODE_MOST)
        return (PAGE_HEAD + (uint64_t)whole + PAGE - 1) / PAGE * PAGE + COUNTED + 2 * key_size;
    return (uint64_t)size + COUNTED + more;
}
