/* The commented example of a configuration, made of the table. */
#include "base/conf.h"

#include <string.h>

#include "base/conf_value.h"

enum { WIDTH = 100 };

/* As comments of at most WIDTH columns. */
static void remark(FILE *out, const char *text)
{
    while (*text) {
        size_t n = strlen(text);
        if (n > WIDTH)
            for (n = WIDTH; n > 0 && text[n] != ' '; n--)
                ;
        n = n ? n : strcspn(text, " ");
        fprintf(out, "# %.*s\n", (int)n, text);
        text += n + strspn(text + n, " ");
    }
}

static void range(const struct conf_key *key, char *out, size_t size)
{
    out[0] = '\0';
    if (key->type == CONF_INT || key->type == CONF_SECONDS)
        snprintf(out, size, "; %lld to %lld%s", (long long)key->min, (long long)key->max,
                 key->type == CONF_INT ? "" : " seconds");
}

static void write_key(FILE *out, const struct conf_key *key)
{
    bool bare = key->type == CONF_INT || key->type == CONF_SECONDS || key->type == CONF_BOOL;
    char limits[80];

    range(key, limits, sizeof(limits));
    AUTO(mem_freep) char *text = mem_printf("%s%s%s%s", key->text, limits,
                                            key->level == CONF_ROOT ? "; also for a root of its own" : "",
                                            key->restart ? "; taken at the next start" : "");
    fputc('\n', out);
    remark(out, text);
    const char *before = key->type == CONF_LIST ? "[\"" : bare ? "" : "\"";
    const char *after = key->type == CONF_LIST ? "\"]" : bare ? "" : "\"";

    fprintf(out, "#%s = %s%s%s\n", key->name, before, conf_value_example(key), after);
}

static bool same_section(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void write_section(FILE *out, const struct conf_key *keys, size_t n, const char *section)
{
    if (section)
        fprintf(out, "\n\n[%s]\n", section);
    for (size_t i = 0; i < n; i++)
        if (same_section(keys[i].section, section))
            write_key(out, &keys[i]);
}

static bool is_first(const struct conf_key *keys, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (same_section(keys[j].section, keys[i].section))
            return false;
    return true;
}

/* Keys without a section stand first: in TOML nothing ends a section but the next one. */
void conf_write_example(const struct conf_key *keys, size_t n, FILE *out)
{
    fputs("# Configuration of impomero.  Each line that begins with # and a name shows a default, or an example where there\n"
          "# is none: take the # away and change it.  impomero config check says what is wrong.\n", out);
    write_section(out, keys, n, NULL);
    for (size_t i = 0; i < n; i++)
        if (keys[i].section && is_first(keys, i))
            write_section(out, keys, n, keys[i].section);
    fputs("\n\n# Directory trees to watch: one table each, with settings of its own where they differ.\n"
          "#[[root]]\n#name = \"microscopes\"\n#path = \"/srv/microscopes\"\n", out);
    for (size_t i = 0; i < n; i++)
        if (keys[i].level == CONF_ROOT) {
            char name[64];
            conf_key_name(&keys[i], name);
            fprintf(out, "# also: %s\n", name);
        }
}
