#include "engine/settings_secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/listen.h"
#include "base/mem.h"

enum { SECRET_MAX = 4096, TOKEN_LEAST = 16 };

const char *settings_env(const char *const *env, const char *name)
{
    size_t n = strlen(name);

    for (; *env; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=' && (*env)[n + 1])
            return *env + n + 1;
    return NULL;
}

void settings_wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

/* A secret of the configuration: the value itself, a file whose first line it is, a credential of the service manager, a file
 * beside the configuration that may be read. */
struct secret {
    const char *what;
    size_t value, file;  /* offsets in struct settings */
    const char *file_key, *credential, *beside;
};

static const struct secret password = {"password", offsetof(struct settings, server.password),
                                       offsetof(struct settings, server.password_file), "server.password_file",
                                       "impomero.password", "password"};
static const struct secret token = {"token", offsetof(struct settings, web.token), offsetof(struct settings, web.token_file),
                                    "web.token_file", "impomero.web-token", "web-token"};

static const char **text_at(struct settings *s, size_t offset)
{
    return (const char **)(void *)((char *)s + offset);
}

/* The first line of a file; in memory that is wiped later. */
static int read_secret(const char *what, const char *path, char **out, struct err *err)
{
    char line[SECRET_MAX];
    FILE *f = fopen(path, "re");

    if (!f)
        return err_set(err, REASON_CONFIG, errno, "%s file '%s'", what, path);
    char *got = fgets(line, sizeof(line), f);
    fclose(f);
    if (!got)
        line[0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    int failed = line[0] ? 0 : err_set(err, REASON_CONFIG, 0, "%s file '%s': its first line is empty", what, path);
    if (!failed)
        *out = mem_str(line);
    explicit_bzero(line, sizeof(line));
    return failed;
}

/* A secret in a configuration that everybody may read is none. */
static int check_secret_place(const struct secret *k, const struct conf_value *v, struct err *err)
{
    struct stat st;

    if (!v->file || stat(v->file, &st) < 0 || !(st.st_mode & S_IROTH))
        return 0;
    err_set(err, REASON_CONFIG, 0, "%s: a %s in a file that everybody can read", v->place, k->what);
    return err_hint(err, "chmod o-r '%s', or put it in a file of its own and name that by %s", v->file, k->file_key);
}

static const struct conf_key *key_at(size_t offset)
{
    for (size_t i = 0; i < settings_n_keys; i++)
        if (settings_keys[i].level == CONF_GLOBAL && settings_keys[i].offset == offset)
            return &settings_keys[i];
    return NULL;
}

/* Is there more than an empty line?  The unit gives that where nobody gave anything. */
static bool holds_something(const char *path)
{
    struct stat st;

    return path && access(path, R_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 1;
}

static int find_secret(struct settings *s, const struct secret *k, char **owned, const char *config_path, const char *const *env,
                       struct err *err)
{
    const char *credentials = settings_env(env, "CREDENTIALS_DIRECTORY"), *slash = strrchr(config_path, '/');
    AUTO(mem_freep) char *credential = credentials ? mem_printf("%s/%s", credentials, k->credential) : NULL;
    AUTO(mem_freep) char *beside = mem_printf("%.*s%s", slash ? (int)(slash - config_path) + 1 : 0, config_path, k->beside);
    const char **value = text_at(s, k->value);

    if (*value)
        return check_secret_place(k, conf_get(s->conf, key_at(k->value), CONF_NO_ROOT), err);
    const char *path = *text_at(s, k->file);
    if (!path && holds_something(credential))
        path = credential;
    if (!path && holds_something(beside))
        path = beside;
    if (path && read_secret(k->what, path, owned, err) < 0)
        return -1;
    *value = *owned;
    return 0;
}

/* The page shows everybody's file names: beyond this machine only to those who know the token. */
static int check_web(const struct settings *s, struct err *err)
{
    struct listen_address at;

    if (!s->web.listen)
        return 0;
    if (listen_parse(s->web.listen, &at, err) < 0)
        return -1;
    if (s->web.token && strlen(s->web.token) < TOKEN_LEAST) {
        err_set(err, REASON_CONFIG, 0, "web.token: shorter than %d characters", TOKEN_LEAST);
        return err_hint(err, "openssl rand -hex 24 makes one");
    }
    if (listen_is_loopback(&at) || s->web.token)
        return 0;
    err_set(err, REASON_CONFIG, 0, "web.listen = '%s' is beyond loopback, and there is no web.token", s->web.listen);
    return err_hint(err, "name a file with one by web.token_file, or listen on 127.0.0.1");
}

int settings_secrets(struct settings *s, const char *config_path, const char *const *env, struct err *err)
{
    if (find_secret(s, &password, &s->password_owned, config_path, env, err) < 0 ||
        find_secret(s, &token, &s->token_owned, config_path, env, err) < 0)
        return -1;
    return check_web(s, err);
}
