/* SPDX-License-Identifier: Apache-2.0
 *
 * afferent/words.h - which name was probably meant: for "did you mean ...?".
 *
 * Inline, and included by who needs it. Words are compared without case, by
 * their restricted edit distance: letters put in, left out or changed, and
 * swaps of neighbours (Damerau 1964, CACM 7(3); dynamic programme of Wagner and
 * Fischer 1974, JACM 21(1)). */
#ifndef AFFERENT_WORDS_H
#define AFFERENT_WORDS_H

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { AFF_WORD_MOST = 64 }; /* a longer word is as far as it is long */

static inline unsigned aff_word__lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned)c + 32u : (unsigned)(unsigned char)c;
}

/* One row of the programme's table: `row` from `above`, and `above2` for swaps. */
static inline void aff_word__row(const char *one, const char *other, unsigned i, unsigned *row,
                                 const unsigned *above, const unsigned *above2)
{
    unsigned j;

    row[0] = i;
    for (j = 1; other[j - 1]; j++) {
        unsigned same = aff_word__lower(one[i - 1]) == aff_word__lower(other[j - 1]);
        unsigned least = above[j - 1] + !same;

        least = row[j - 1] + 1u < least ? row[j - 1] + 1u : least;
        least = above[j] + 1u < least ? above[j] + 1u : least;
        if (i > 1 && j > 1 && aff_word__lower(one[i - 1]) == aff_word__lower(other[j - 2]) &&
            aff_word__lower(one[i - 2]) == aff_word__lower(other[j - 1]) && above2[j - 2] + 1u < least)
            least = above2[j - 2] + 1u;
        row[j] = least;
    }
}

/* How many edits make the one of the other. */
static inline unsigned aff_word_distance(const char *one, const char *other)
{
    unsigned rows[3][AFF_WORD_MOST + 1];
    size_t n = strlen(one), m = strlen(other);
    unsigned i;

    if (n > AFF_WORD_MOST || m > AFF_WORD_MOST)
        return (unsigned)(n > m ? n : m);
    for (i = 0; i <= m; i++)
        rows[0][i] = i;
    for (i = 1; i <= n; i++)
        aff_word__row(one, other, i, rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3]);
    return rows[n % 3][m];
}

/* Begin with the word that was written and the rest zero, offer all names there
 * are, and `best` is the one that was probably meant: one edit away in a word of
 * up to 3 letters, two up to 8, else three, or a part of it; of equally near ones
 * the first; NULL when none is near. Texts are borrowed. */
struct aff_guess {
    const char *word;
    const char *best;
    unsigned distance;
};

static inline void aff_guess_offer(struct aff_guess *guess, const char *name)
{
    size_t length = strlen(guess->word);
    unsigned limit = length < 4 ? 1 : length < 9 ? 2 : 3, distance = aff_word_distance(guess->word, name);

    /* "temp" for "temperature": a part of four letters or more, behind all else. */
    if (distance > limit && length > 3 && strlen(name) > 3 && (strstr(name, guess->word) || strstr(guess->word, name)))
        distance = limit;
    if (distance > limit || (guess->best && distance >= guess->distance))
        return;
    guess->best = name;
    guess->distance = distance;
}

#ifdef __cplusplus
}
#endif
#endif
