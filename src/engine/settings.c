#include "engine/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/listen.h"
#include "base/mail.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/policy.h"
#include "engine/settings_secret.h"
#include "omero/import.h"
#include "omero/paths.h"

enum { DAY_S = 86400 };

const char settings_file[] = IMPOMERO_CONFIG_DIR "/impomero.toml";

static const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const checksums[] = {"server", "SHA1-160", "MD5-128", "CRC-32", "Adler-32", "File-Size-64", NULL};
static const char *const tells[] = {"all", "trouble", NULL};
static const char *const traces[] = {"off", "wire", NULL};

static const char *const duplicates[] = {"import", "skip", "report", NULL};
static const char *const policies[] = {"any", "list", "owner", NULL};

#define AT(member) .level = CONF_GLOBAL, .offset = offsetof(struct settings, member)
#define AT_ROOT(member) .level = CONF_ROOT, .offset = offsetof(struct root_settings, member)

static int check_paths(const char *text, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_paths ignored;

    return om_paths_parse(text, mem, &ignored, err);
}

static int check_url(const char *text, struct err *err)
{
    if (str_starts(text, "https://") || str_starts(text, "http://"))
        return 0;
    err_set(err, REASON_CONFIG, 0, "no address of the web");
    return err_hint(err, "for example https://chat.example.org/hook");
}

static int check_listen(const char *text, struct err *err)
{
    struct listen_address ignored;

    return listen_parse(text, &ignored, err);
}

static int check_skip(const char *text, struct err *err)
{
    struct om_skip ignored;

    return om_skip_parse(text, &ignored, err);
}

static int check_one_address(const char *text, struct err *err)
{
    if (!strstr(text, "{user}"))
        return mail_check_address(text, err);
    err_set(err, REASON_CONFIG, 0, "{user} may stand in mail_to alone");
    return err_hint(err, "for example omero@institute.example");
}

const struct conf_key settings_keys[] = {
    {"server", "host", CONF_TEXT, AT(server.host), .restart = true, .fallback = "localhost", .env = "OMERO_SERVER",
     .option = "server",
     .arg = "HOST", .text = "name or address of the OMERO server"},
    {"server", "port", CONF_INT, AT(server.port), .restart = true, .fallback = "4064", .min = 1, .max = 65535,
     .env = "OMERO_PORT",
     .option = "port", .text = "port of its router: 4064 with TLS, 4063 without"},
    {"server", "user", CONF_TEXT, AT(server.user), .fallback = "root", .env = "OMERO_ROOT_USER", .option = "user", .arg = "NAME",
     .text = "the administrator who imports on behalf of the cards' users"},
    {"server", "password", CONF_TEXT, AT(server.password), .env = "OMERO_ROOT_PASSWORD", .secret = true, .example = "...",
     .text = "the password of that user; better in a file of its own"},
    {"server", "password_file", CONF_PATH, AT(server.password_file), .arg = "FILE", .example = "/etc/impomero/password",
     .text = "file whose first line is the password"},
    {"server", "ca_file", CONF_PATH, AT(server.ca_file), .restart = true, .option = "ca-file", .arg = "FILE",
     .example = "/etc/impomero/ca.pem",
     .text = "certificates (PEM) that vouch for the server, beside the system's"},
    {"server", "plain_tcp", CONF_BOOL, AT(server.plain_tcp), .restart = true, .fallback = "false", .option = "plain-tcp",
     .text = "speak without TLS"},
    {"server", "allow_anonymous", CONF_BOOL, AT(server.allow_anonymous), .restart = true, .fallback = "false",
     .option = "allow-anonymous",
     .text = "accept TLS without a certificate: nothing proves then who answers"},
    {"server", "timeout", CONF_SECONDS, AT(server.timeout_s), .fallback = "0", .min = 0, .max = DAY_S, .restart = true,
     .text = "the longest that one answer is waited for; 0: what suits each call, up to 4 hours"},
    {NULL, "state", CONF_PATH, AT(state_dir), .restart = true, .arg = "DIR", .example = "/var/lib/impomero",
     .text = "directory of the ledger and of the known servers"},
    {NULL, "workers", CONF_INT, AT(workers), .fallback = "2", .min = 1, .max = 64, .restart = true,
     .text = "filesets imported at a time"},
    {NULL, "uploads", CONF_INT, AT(uploads), .fallback = "4", .min = 1, .max = 16,
     .text = "files of one fileset sent at a time"},
    {NULL, "settle", CONF_SECONDS, AT_ROOT(settle_s), .fallback = "30", .min = 0, .max = 7 * DAY_S,
     .text = "quiet time before files count as complete"},
    {NULL, "rescan", CONF_SECONDS, AT_ROOT(rescan_s), .fallback = "900", .min = 1, .max = 7 * DAY_S,
     .text = "how often watch looks at all of a tree whose file system tells of changes"},
    {NULL, "poll", CONF_SECONDS, AT_ROOT(poll_s), .fallback = "60", .min = 1, .max = 7 * DAY_S,
     .text = "how often watch looks where it does not (network shares), or a tree is away"},
    {NULL, "dataset_name", CONF_TEXT, AT_ROOT(names.dataset), .fallback = NAMING_DATASET, .check = naming_check_dataset,
     .arg = "TEMPLATE",
     .text = "name of a dataset: text with {dir}, {path}, {root}, {project} or {user} of the card's directory"},
    {NULL, "image_name", CONF_TEXT, AT_ROOT(names.image), .fallback = NAMING_IMAGE, .check = naming_check_image,
     .arg = "TEMPLATE",
     .text = "name of an image: text with {path} below the card (parts joined by -, by _ with {path:_}), {file},"
                                " {stem}, {dir}, {root}, {project} or {user}"},
    {NULL, "policy", CONF_CHOICE, AT_ROOT(policy), .choices = policies, .example = "list",
     .text = "whom cards may act for: any ordinary user, a list (allow), or the owner of card and files"},
    {NULL, "allow", CONF_LIST, AT_ROOT(allow), .arg = "'DIR = USER, ...;...'",
     .example = "people/{user} = *",
     .text = "for policy list: directory patterns, and the users that cards at or below may name"},
    {NULL, "follow_links_into", CONF_LIST, AT_ROOT(follow_into), .arg = "DIR;...", .example = "/data/archive",
     .text = "directories that symbolic links of the tree may lead into; others are not followed"},
    {"import", "deadline", CONF_SECONDS, AT(import_deadline_s), .fallback = "86400", .min = 10, .max = 30 * DAY_S,
     .text = "how long the server may take for one fileset"},
    {NULL, "transfer", CONF_CHOICE, AT_ROOT(transfer), .fallback = "upload", .choices = om_transfers,
     .text = "how files get into OMERO's repository: upload, ln_s or ln (links; trusted roots only), cp (copies made here)"},
    {NULL, "checksum", CONF_CHOICE, AT_ROOT(checksum), .fallback = "server", .choices = checksums,
     .text = "checksum of files: SHA1-160, MD5-128, CRC-32, Adler-32, File-Size-64, or what the server prefers"},
    {NULL, "skip", CONF_TEXT, AT_ROOT(skip), .arg = "WORD,...",
     .check = check_skip, .example = "minmax,thumbnails",
     .text = "what to leave out of imports to be faster: checksum (sizes alone are compared), minmax, thumbnails, all"},
    {NULL, "marker", CONF_TEXT, AT_ROOT(marker), .arg = "FILE",
     .text = "a file of the tree that is there whenever it is mounted: without it the tree counts as away"},
    {NULL, "ready", CONF_TEXT, AT_ROOT(ready), .arg = "NAME",
     .text = "import a directory only once a file of this name lies in it or further up"},
    {NULL, "duplicates", CONF_CHOICE, AT_ROOT(duplicates), .fallback = "import", .choices = duplicates,
     .text = "copies of files that were imported for the same user: import them too, skip them, or report them"},
    {NULL, "include", CONF_TEXT, AT_ROOT(include), .arg = "PATTERN;...",
     .text = "only files that one of these patterns fits are imported"},
    {NULL, "exclude", CONF_TEXT, AT_ROOT(exclude), .arg = "PATTERN;...", .text = "files that one of these fits are not"},
    {NULL, "formats", CONF_TEXT, AT_ROOT(formats), .arg = "NAME;...",
     .text = "only these formats are imported (impomero formats lists them)"},
    {NULL, "exclude_formats", CONF_TEXT, AT_ROOT(exclude_formats), .option = "exclude-formats", .arg = "NAME;...",
     .text = "these formats are not"},
    {NULL, "gaps", CONF_BOOL, AT_ROOT(gaps), .fallback = "false",
     .text = "import sets with missing planes where the format allows it"},
    {NULL, "incomplete_after", CONF_SECONDS, AT_ROOT(incomplete_s), .option = "incomplete-after", .fallback = "3600", .min = 0,
     .max = 365 * DAY_S, .text = "how long an incomplete set waits in silence before it is reported"},
    {"grouping", "helper", CONF_TEXT, AT(helper), .arg = "COMMAND",
     .text = "program that is asked about formats left to Bio-Formats, such as 'omero import -f'"},
    {"grouping", "helper_timeout", CONF_SECONDS, AT(helper_s), .option = "grouping-helper-timeout", .fallback = "600", .min = 1,
     .max = DAY_S, .text = "how long it may take"},
    {NULL, "trusted", CONF_BOOL, AT_ROOT(trusted), .fallback = "false",
     .text = "files may be linked: what their owners change or remove later, changes or goes in OMERO too"},
    {"in_place", "paths", CONF_TEXT, AT(in_place_paths), .arg = "HOST=SERVER,...",
     .check = check_paths, .example = "/srv/images=/data/images",
     .text = "directories that this host and OMERO's server name differently: data, and the managed repository"},
    {"annotations", "namespace", CONF_TEXT, AT_ROOT(annotations_namespace), .fallback = "impomero/card",
     .text = "namespace of a card's key-value pairs and comment"},
    {"annotations", "each", CONF_BOOL, AT_ROOT(annotations_each), .fallback = "false",
     .text = "for each image (or plate) imported from now on key-value pairs of its own, instead of those all of a card share"},
    {"tell", "on", CONF_CHOICE, AT(tell.on), .fallback = "all", .choices = tells,
     .text = "what people are told: all, or trouble alone; by each of the ways below that is set"},
    {"tell", "command", CONF_PATH, AT(tell.command), .arg = "FILE", .example = "/usr/local/bin/told",
     .text = "a program that gets a JSON object on its standard input"},
    {"tell", "webhook", CONF_TEXT, AT(tell.webhook), .check = check_url, .arg = "URL", .example = "https://chat.example.org/hook",
     .text = "an address that gets it by POST"},
    {"tell", "mail_to", CONF_TEXT, AT(tell.mail_to), .check = mail_check_address, .arg = "ADDRESS",
     .example = "{user}@institute.example", .text = "who gets a mail; {user} is the card's user"},
    {"tell", "mail_else", CONF_TEXT, AT(tell.mail_else), .check = check_one_address, .arg = "ADDRESS",
     .example = "omero@institute.example", .text = "who gets it where no user is known: of cards that cannot be read"},
    {"tell", "mail_from", CONF_TEXT, AT(tell.mail_from), .check = check_one_address, .arg = "ADDRESS",
     .example = "omero@institute.example", .text = "the sender of mails"},
    {"tell", "sendmail", CONF_PATH, AT(tell.sendmail), .fallback = "/usr/sbin/sendmail",
     .text = "the program that sends mail, called with -i -t"},
    {"tell", "quiet", CONF_SECONDS, AT(tell.quiet_s), .fallback = "60", .min = 0, .max = DAY_S,
     .text = "how long nothing must happen to a card's files before it is told what became of them"},
    {"tell", "per_hour", CONF_INT, AT(tell.per_hour), .fallback = "20", .min = 1, .max = 1000,
     .text = "messages in an hour; more are counted and not sent"},
    {"web", "listen", CONF_TEXT, AT(web.listen), .restart = true, .check = check_listen, .arg = "[ADDRESS:]PORT",
     .example = "127.0.0.1:4080",
     .text = "where the page, the metrics and the API are served; a port alone is on 127.0.0.1; elsewhere a token is needed"},
    {"web", "token", CONF_TEXT, AT(web.token), .restart = true, .secret = true, .example = "................",
     .text = "who knows it may read the page: as a bearer token, or as the password of any user; better in a file of its own"},
    {"web", "token_file", CONF_PATH, AT(web.token_file), .restart = true, .arg = "FILE", .example = "/etc/impomero/web-token",
     .text = "file whose first line is the token"},
    {"web", "hosts", CONF_LIST, AT(web.hosts), .restart = true, .arg = "NAME;...", .example = "impomero.example.org",
     .text = "names by which the page may be asked for, beside the address it listens on and localhost: those of a proxy"},
    {"web", "omero_web", CONF_TEXT, AT(web.omero_web), .restart = true, .check = check_url, .arg = "URL",
     .example = "https://omero.example.org", .text = "address of OMERO.web: datasets and images of the page are links into it"},
    {"log", "level", CONF_CHOICE, AT(log_level), .fallback = "info", .choices = log_levels,
     .text = "least important lines of the log: error, warning, info or debug"},
    {NULL, "trace", CONF_CHOICE, AT(trace), .restart = true, .fallback = "off", .choices = traces,
     .text = "wire: a line on standard error for each message to and from OMERO, without secrets"},
};
const size_t settings_n_keys = ARRAY_LEN(settings_keys);

/* The rule of places: what is configured, what the service manager gives, the user's own. */
static int choose_state_dir(struct settings *s, const char *const *env, struct err *err)
{
    static const struct { const char *variable, *below; } places[] = {
        {"STATE_DIRECTORY", ""}, {"XDG_STATE_HOME", "/impomero"}, {"HOME", "/.local/state/impomero"},
    };

    for (size_t i = 0; !s->state_dir && i < ARRAY_LEN(places); i++) {
        const char *base = settings_env(env, places[i].variable);
        if (base && base[0] == '/')
            s->state_dir = s->state_dir_owned = mem_printf("%.*s%s", (int)strcspn(base, ":"), base, places[i].below);
    }
    if (s->state_dir)
        return 0;
    err_set(err, REASON_CONFIG, 0, "no state directory: neither HOME nor STATE_DIRECTORY is set");
    return err_hint(err, "name one by --state=DIR or 'state' in the configuration");
}

static char *clean_path(const char *path)
{
    char *out = mem_new(strlen(path) + 2, 1);
    size_t n = 0;

    while (*path) {
        size_t len = strcspn(path, "/");
        if (len == 2 && strncmp(path, "..", 2) == 0)
            while (n > 0 && out[--n] != '/')
                ;
        else if (len > 0 && !(len == 1 && path[0] == '.')) {
            out[n++] = '/';
            memcpy(out + n, path, len);
            n += len;
        }
        path += len + (path[len] == '/');
    }
    if (n == 0)
        out[n++] = '/';
    out[n] = '\0';
    return out;
}

/* Roots must not lie within one another: a file would belong to both. */
static int check_roots(const struct settings *s, struct err *err)
{
    for (size_t i = 0; i < s->n_roots; i++)
        for (size_t j = 0; j < s->n_roots; j++)
            if (i != j && str_below(s->roots[i].path, s->roots[j].path))
                return err_set(err, REASON_CONFIG, 0, "root '%s' lies within root '%s'", s->roots[i].name, s->roots[j].name);
    return 0;
}

static int fill_roots(struct settings *s, struct err *err)
{
    s->n_roots = conf_n_roots(s->conf);
    s->roots = mem_new(s->n_roots, sizeof(*s->roots));
    for (size_t i = 0; i < s->n_roots; i++) {
        s->roots[i].name = conf_root(s->conf, i)->name;
        s->roots[i].path = clean_path(conf_root(s->conf, i)->path);
        conf_fill(s->conf, CONF_ROOT, i, &s->roots[i].set);
    }
    conf_fill(s->conf, CONF_ROOT, CONF_NO_ROOT, &s->defaults);
    return check_roots(s, err);
}

static int check_policy(const struct root_settings *set, const char *root, struct err *err)
{
    struct policy ignored;

    for (size_t i = 0; set->follow_into && set->follow_into[i]; i++)
        if (set->follow_into[i][0] != '/')
            return err_set(err, REASON_CONFIG, 0, "'follow_links_into' must have absolute paths, not '%s'", set->follow_into[i]);
    if (policy_of(set, &ignored, err) == 0)
        return 0;
    return root ? err_prefix(err, "root '%s': ", root) : -1;
}

static int check_policies(const struct settings *s, struct err *err)
{
    for (size_t i = 0; i < s->n_roots; i++)
        if (check_policy(&s->roots[i].set, s->roots[i].name, err) < 0)
            return -1;
    return check_policy(&s->defaults, NULL, err);
}

/* "x/impomero.toml" -> "x/impomero.d" */
static char *drop_in_dir(const char *config_path)
{
    size_t n = strlen(config_path);

    return mem_printf("%.*s.d", (int)(n - (str_ends(config_path, ".toml") ? 5 : 0)), config_path);
}

static int read_sources(struct settings *s, const char *config_path, bool must, const char *const *env,
                        const struct settings_option *options, size_t n_options, struct err *err)
{
    AUTO(mem_freep) char *drop_ins = drop_in_dir(config_path);

    s->conf = conf_new(settings_keys, settings_n_keys);
    if (conf_read_file(s->conf, config_path, must, err) < 0 || conf_read_dir(s->conf, drop_ins, err) < 0 ||
        conf_read_env(s->conf, env, err) < 0)
        return -1;
    for (size_t i = 0; i < n_options; i++)
        if (conf_set_option(s->conf, options[i].option, options[i].value, err) < 0)
            return -1;
    return 0;
}

static void settings_guard(struct settings *s)
{
    settings_clear(s);
}

int settings_load(struct settings *out, const char *config_path, const char *const *env, const struct settings_option *options,
                  size_t n_options, struct err *err)
{
    AUTO(settings_guard) struct settings s = {0};
    const char *path = config_path ? config_path : settings_file;

    if (read_sources(&s, path, config_path != NULL, env, options, n_options, err) < 0)
        return -1;
    conf_fill(s.conf, CONF_GLOBAL, CONF_NO_ROOT, &s);
    if (choose_state_dir(&s, env, err) < 0 || settings_secrets(&s, path, env, err) < 0 || fill_roots(&s, err) < 0 ||
        check_policies(&s, err) < 0)
        return -1;
    *out = s;
    s = (struct settings){0};
    return 0;
}

void settings_clear(struct settings *s)
{
    settings_wipe(s->password_owned);
    settings_wipe(s->token_owned);
    free(s->state_dir_owned);
    for (size_t i = 0; i < s->n_roots; i++)
        free((char *)s->roots[i].path);
    free(s->roots);
    conf_free(s->conf);
    *s = (struct settings){0};
}

char *settings_need_restart(const struct settings *old, const struct settings *now)
{
    AUTO(buf_clear) struct buf names = BUF_INIT(64 * settings_n_keys);

    for (size_t i = 0; i < settings_n_keys; i++) {
        char name[64];

        if (!settings_keys[i].restart || conf_same(old->conf, CONF_NO_ROOT, now->conf, CONF_NO_ROOT, &settings_keys[i]))
            continue;
        conf_key_name(&settings_keys[i], name);
        buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", name);
    }
    return names.len > 0 ? buf_take_str(&names) : NULL;
}

const struct root_settings *settings_for(const struct settings *s, const char *root_path)
{
    const struct settings_root *root = settings_root_of(s, root_path);

    return root ? &root->set : &s->defaults;
}

int settings_need_policy(const struct settings_root *root, struct err *err)
{
    if (root->set.policy)
        return 0;
    err_set(err, REASON_CONFIG, 0, "root '%s': no policy says whom its cards may act for", root->name);
    return err_hint(err, "write policy = \"owner\", \"list\" (with allow) or \"any\" into its [[root]]");
}

int64_t settings_look_s(const struct root_settings *set)
{
    return set->rescan_s > set->poll_s ? set->rescan_s : set->poll_s;
}

const struct settings_root *settings_root_of(const struct settings *s, const char *path)
{
    for (size_t i = 0; i < s->n_roots; i++)
        if (str_below(path, s->roots[i].path))
            return &s->roots[i];
    return NULL;
}
