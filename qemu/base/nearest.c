/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/nearest.h"

#include <string.h>

/* More mistakes than MOST make another word. */
enum { LONGEST = 40, MOST = 3 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many letters must be added, taken away, changed or swapped with their neighbour to make one
 * of the other (the restricted Damerau-Levenshtein distance). */
static unsigned distance(const char *a, const char *b)
{
    unsigned d[LONGEST + 1][LONGEST + 1]; /* of the first i letters of a from the first j of b */
    size_t rows = strlen(a), columns = strlen(b);

    if (rows > LONGEST || columns > LONGEST) {
        return LONGEST;
    }
    for (unsigned i = 0; i <= rows; i++) {
        for (unsigned j = 0; j <= columns; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                            d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[rows][columns];
}

void nearest_try(struct nearest *n, const char *word)
{
    unsigned mistakes = distance(n->typed, word);

    if (mistakes <= MOST && mistakes <= strlen(word) / 2 && (!n->word || mistakes < n->mistakes)) {
        n->word = word;
        n->mistakes = mistakes;
    }
}
