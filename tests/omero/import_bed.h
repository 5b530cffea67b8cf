/* The bed of the tests of imports: a scripted server, and sources of bytes. */
#pragma once

#include "../test.h"

#include "fake.h"
#include "omero/import.h"

/* SHA-1 of no bytes and of "abc" (FIPS 180 examples). */
#define SHA1_EMPTY "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define SHA1_ABC "a9993e364706816aba3e25717850c26c9cd0d89d"

struct import_server {
    const char *algorithm, *saved_hash;
    int64_t received, biggest_write, lowest_position;
    size_t n_entries;
    char first_path[128], token[64], reader[64];
    int64_t target;
    const char *hashes;
    enum { SAYS_NOTHING, SAYS_FAILURE, SAYS_DONE, SAYS_ERR } says;
    size_t n_images, n_filesets;
    bool bad_verify;
    bool several;        /* files: their bytes are not told apart, and each has three */
    const char *lose_at; /* the connection is lost once, at this operation */
};

extern struct import_server server; /* what it says and has seen; zeroed before each test */
extern struct fake fake;
extern struct arena *test_mem;
extern struct om_import *imp;

int setup(void **state);
int teardown(void **state);
/* importFileset of one file, or two. */
int start(const char *first, const char *second, struct err *err);

struct text_source {
    size_t left, fail_after;
    bool endless_zeros;
};

ssize_t read_text(void *arg, void *at, size_t n, struct err *err); /* of a struct text_source: "abc", or zeros */
int upload(struct text_source *s, int64_t expected, struct err *err); /* of the first file */
int upload_abc(struct err *err);
