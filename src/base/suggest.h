/* The word that was perhaps meant. */
#pragma once

#include <stddef.h>

/* The nearest of `n` words by edit distance, or NULL when none is near (more than a third of the letters differ). */
const char *suggest_word(const char *word, const char *const *words, size_t n);
