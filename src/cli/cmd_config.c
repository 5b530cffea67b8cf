/* impomero config check, config show: what the settings are and where each came from. */
#include "cli/command.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static const char *shown_value(const struct conf_key *key, const struct conf_value *v)
{
    if (!v->text || !v->text[0])
        return "";
    return key->secret ? "(given)" : v->text;
}

static void say_key(struct cli *cli, const struct conf_key *key, const struct conf_value *v, const char *indent)
{
    AUTO(mem_freep) char *value = str_show(shown_value(key, v));
    AUTO(mem_freep) char *place = str_show(v->place);
    char name[64];

    conf_key_name(key, name);
    fprintf(cli->out, "%s%s = %s    # %s\n", indent, name, value, place);
}

static json_t *key_json(const struct conf_key *key, const struct conf_value *v)
{
    return json_pack("{s:o, s:o}", "value", js_text(shown_value(key, v)), "from", js_text(v->place));
}

static json_t *roots_json(const struct settings *s)
{
    json_t *list = json_array();

    for (size_t r = 0; r < s->n_roots; r++) {
        json_t *root = json_object();
        json_object_set_new(root, "name", js_text(s->roots[r].name));
        js_add_path(root, "path", s->roots[r].path);
        for (size_t i = 0; i < settings_n_keys; i++)
            if (settings_keys[i].level == CONF_ROOT)
                json_object_set_new(root, settings_keys[i].name,
                                    key_json(&settings_keys[i], conf_get(s->conf, &settings_keys[i], r)));
        json_array_append_new(list, root);
    }
    return list;
}

static int show_json(struct cli *cli)
{
    AUTO(js_freep) json_t *all = json_object();

    for (size_t i = 0; i < settings_n_keys; i++) {
        char name[64];
        conf_key_name(&settings_keys[i], name);
        json_object_set_new(all, name,
                            key_json(&settings_keys[i], conf_get(cli->settings.conf, &settings_keys[i], CONF_NO_ROOT)));
    }
    js_add_path(all, "state_dir", cli->settings.state_dir);
    json_object_set_new(all, "has_password", json_boolean(cli->settings.server.password != NULL));
    json_object_set_new(all, "roots", roots_json(&cli->settings));
    js_print(cli->out, all);
    return CLI_OK;
}

static int show(struct cli *cli)
{
    const struct settings *s = &cli->settings;

    if (cli->json)
        return show_json(cli);
    for (size_t i = 0; i < settings_n_keys; i++)
        say_key(cli, &settings_keys[i], conf_get(s->conf, &settings_keys[i], CONF_NO_ROOT), "");
    for (size_t r = 0; r < s->n_roots; r++) {
        AUTO(mem_freep) char *name = str_show(s->roots[r].name);
        AUTO(mem_freep) char *path = str_show(s->roots[r].path);
        fprintf(cli->out, "root '%s' at %s\n", name, path);
        for (size_t i = 0; i < settings_n_keys; i++)
            if (settings_keys[i].level == CONF_ROOT)
                say_key(cli, &settings_keys[i], conf_get(s->conf, &settings_keys[i], r), "  ");
    }
    AUTO(mem_freep) char *state = str_show(s->state_dir);
    fprintf(cli->out, "state directory: %s\npassword: %s\n", state, s->server.password ? "given" : "none");
    return CLI_OK;
}

static int check(struct cli *cli)
{
    const struct conf *c = cli->settings.conf;
    struct err err = ERR_INIT;

    for (size_t i = 0; i < cli->settings.n_roots; i++)
        if (settings_need_policy(&cli->settings.roots[i], &err) < 0)
            return cli_fail(cli, NULL, &err);
    for (size_t i = 0; i < conf_n_files(c); i++) {
        AUTO(mem_freep) char *file = str_show(conf_file(c, i));
        fprintf(cli->out, "read %s\n", file);
    }
    fprintf(cli->out, "the configuration is right: %zu root%s\n", cli->settings.n_roots, cli->settings.n_roots == 1 ? "" : "s");
    return CLI_OK;
}

const struct command command_config_check = {
    .name = "config check",
    .args = "",
    .summary = "read the configuration and say what is wrong with it",
    .help = "Reads what a run would read: the file /etc/impomero/impomero.toml, the files *.toml in impomero.d beside\n"
            "it, the environment and the options.  The first thing that is wrong is named with file and line.\n"
            "\n"
            "Example:\n"
            "  impomero config check --config=/etc/impomero/new.toml\n",
    .settings = true,
    .run = check,
};

static int example(struct cli *cli)
{
    conf_write_example(settings_keys, settings_n_keys, cli->out);
    return CLI_OK;
}

const struct command command_config_example = {
    .name = "config example",
    .args = "",
    .summary = "print a configuration file that names every setting, all as comments",
    .help = "A configuration read from it changes nothing until lines are taken out of their comments.\n"
            "\n"
            "Example:\n"
            "  impomero config example > impomero.toml\n",
    .run = example,
};

const struct command command_config_show = {
    .name = "config show",
    .args = "",
    .summary = "show the settings and where each came from",
    .help = "A password is never shown, only whether there is one.\n"
            "\n"
            "Example:\n"
            "  IMPOMERO_SETTLE=0 impomero config show\n",
    .settings = true,
    .json = true,
    .run = show,
};
