/* OMERO's checksum algorithms, streamed: names as ChecksumAlgorithm values, digests as lower-case hex in the form that
 * verifyUpload compares (the short ones little-endian; omero-common ome/util/checksum). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_HEX_MAX = 41 }; /* with the terminator: SHA-1 is the longest */

struct hash;

/* "SHA1-160", "MD5-128", "CRC-32", "Adler-32", "File-Size-64"; NULL for a name that is none of these, and
 * for a digest that the machine's OpenSSL forbids (MD5 under FIPS rules). */
struct hash *hash_new(const char *algorithm);
void hash_add(struct hash *h, const void *bytes, size_t n);
void hash_hex(struct hash *h, char out[HASH_HEX_MAX]); /* once, at the end */
void hash_free(struct hash *h);
void hash_freep(struct hash **h);

/* Do equal digests prove equal bytes, or only equal sizes and luck? */
bool hash_is_proof(const char *algorithm);

/* The names above in the order of the servers' own preference, NULL at the end. */
extern const char *const hash_algorithms[];
