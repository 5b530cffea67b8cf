#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/str.h"

void js_freep(json_t **value)
{
    json_decref(*value);
}

json_t *js_text(const char *s)
{
    if (!s)
        return json_null();
    if (str_is_utf8(s, strlen(s)))
        return json_string_nocheck(s);

    AUTO(mem_freep) char *shown = str_show(s);
    return json_string_nocheck(shown);
}

char *js_bytes(const char *path)
{
    const size_t n = path ? strlen(path) : 0;

    if (!path || str_is_utf8(path, n))
        return NULL;

    char *bytes = mem_new(n / 3 * 4 + 5, 1);
    EVP_EncodeBlock((unsigned char *)bytes, (const unsigned char *)path, (int)n);
    return bytes;
}

void js_add_path(json_t *object, const char *name, const char *path)
{
    AUTO(mem_freep) char *bytes = js_bytes(path);

    json_object_set_new(object, name, js_text(path));
    if (!bytes)
        return;

    AUTO(mem_freep) char *key = mem_printf("%s_b64", name);
    json_object_set_new(object, key, json_string(bytes));
}

static void print(FILE *out, const json_t *value, size_t flags)
{
    json_dumpf(value, out, JSON_ENCODE_ANY | flags);
    putc('\n', out);
}

void js_print(FILE *out, const json_t *value)
{
    print(out, value, 0);
}

void js_print_indented(FILE *out, const json_t *value)
{
    print(out, value, JSON_INDENT(2));
}

char *js_dump(const json_t *value)
{
    return json_dumps(value, JSON_ENCODE_ANY);
}

/* Bytes that stand in a JSON text as they are. */
static size_t plain_length(const char *s)
{
    size_t n = 0;

    while (s[n] >= ' ' && s[n] < 0x7F && s[n] != '"' && s[n] != '\\')
        n++;
    return n;
}

void js_print_text(FILE *out, const char *s)
{
    size_t n = s ? plain_length(s) : 0;

    if (s && s[n] == '\0') {
        putc('"', out);
        fwrite(s, 1, n, out);
        putc('"', out);
        return;
    }

    AUTO(js_freep) json_t *text = js_text(s);
    json_dumpf(text, out, JSON_ENCODE_ANY);
}
