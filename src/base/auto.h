/* Cleanup by attribute, and the one word for handing ownership over. */
#pragma once

#define AUTO(fn) __attribute__((cleanup(fn)))

/* Take the value out of a guarded local: the guard then sees NULL. */
#define STEAL(p)                       \
    __extension__({                    \
        __typeof__(p) stolen_ = (p);   \
        (p) = NULL;                    \
        stolen_;                       \
    })

#define ATTR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ATTR_MUST_USE __attribute__((warn_unused_result))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
