/* One message as JSON and as mail. */
#include <string.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "base/mail.h"
#include "base/mem.h"
#include "base/str.h"
#include "daemon/tell_inside.h"

json_t *tell_json(const struct tell_message *m)
{
    json_t *o = json_object(), *stuck = json_array();

    for (size_t i = 0; i < m->n_stuck; i++) {
        json_t *s = json_object();

        js_add_path(s, "path", m->stuck[i].path);
        json_object_set_new(s, "line", m->stuck[i].line ? json_integer(m->stuck[i].line) : json_null());
        json_object_set_new(s, "reason", js_text(m->stuck[i].reason));
        json_object_set_new(s, "text", js_text(m->stuck[i].text));
        json_object_set_new(s, "hint", js_text(m->stuck[i].hint));
        json_array_append_new(stuck, s);
    }
    json_object_set_new(o, "outcome", js_text(m->n_stuck > 0 ? "trouble" : "completed"));
    json_object_set_new(o, "user", js_text(m->user));
    json_object_set_new(o, "group", js_text(m->group));
    json_object_set_new(o, "project", js_text(m->project));
    json_object_set_new(o, "dataset", js_text(m->dataset));
    json_object_set_new(o, "dataset_id", m->dataset_id ? json_integer(m->dataset_id) : json_null());
    js_add_path(o, "dir", m->dir);
    json_object_set_new(o, "imported", json_integer((json_int_t)m->n_imported));
    json_object_set_new(o, "images", json_integer((json_int_t)m->n_images));
    json_object_set_new(o, "stuck", stuck);
    json_object_set_new(o, "more", json_integer((json_int_t)m->n_more));
    json_object_set_new(o, "untold", json_integer((json_int_t)m->n_untold));
    return o;
}

/* ---- mail ---- */

static char *address(const char *template, const char *otherwise, const char *name)
{
    const char *user = template ? strstr(template, "{user}") : NULL;

    if (template && !user)
        return mem_str(template);
    if (!user || !name || !mail_is_plain(name) || strchr(name, '@'))
        return otherwise ? mem_str(otherwise) : NULL;
    return mem_printf("%.*s%s%s", (int)(user - template), template, name, user + strlen("{user}"));
}

/* Lines of the body are safe to show: a name in the file tree cannot begin a line. */
static void add_line(struct buf *out, const char *before, const char *text)
{
    AUTO(mem_freep) char *shown = str_show(text);

    buf_printf(out, "%s%s\n", before, shown);
}

static void add_outcome(struct buf *out, const struct tell_message *m)
{
    buf_printf(out, "%zu image%s imported into OMERO.\n\n", m->n_images, m->n_images == 1 ? " was" : "s were");
    add_line(out, "  from     ", m->dir);
    add_line(out, "  project  ", m->project);
    add_line(out, "  dataset  ", m->dataset);
    if (m->n_stuck > 0)
        buf_add_str(out, "\nWhat was not imported, and what to do:\n");
}

static void add_stuck(struct buf *out, const struct tell_stuck *s)
{
    AUTO(mem_freep) char *where = s->line ? mem_printf("%s:%d", s->path, s->line) : mem_str(s->path);

    add_line(out, "\n  ", where);
    add_line(out, "    ", s->text);
    add_line(out, "    -> ", s->hint);
}

static void add_body(struct buf *out, const struct tell_message *m)
{
    if (m->dataset)
        add_outcome(out, m);
    else
        add_line(out, "Nothing is imported by these cards and from these directories until somebody mends them, in ", m->dir);
    for (size_t i = 0; i < m->n_stuck; i++)
        add_stuck(out, &m->stuck[i]);
    if (m->n_more > 0)
        buf_printf(out, "\nand %zu more.\n", m->n_more);
    if (m->n_untold > 0)
        buf_printf(out, "\n%zu earlier message%s not sent: too many in an hour.\n", m->n_untold,
                   m->n_untold == 1 ? " was" : "s were");
    buf_add_str(out, "\nimpomero status says more.\n");
}

static void add_subject(struct buf *out, const struct tell_message *m)
{
    size_t n = m->n_stuck + m->n_more;

    if (m->dataset)
        buf_printf(out, "Subject: impomero: %zu imported, %zu not\n", m->n_imported, n);
    else
        buf_printf(out, "Subject: impomero: trouble with %zu card%s\n", n, n == 1 ? "" : "s");
}

char *tell_mail(const struct tell_message *m, const char *to, const char *otherwise, const char *from)
{
    AUTO(mem_freep) char *whom = address(to, otherwise, m->user);
    AUTO(buf_clear) struct buf out = BUF_INIT(TELL_MAIL_MAX);

    if (!whom)
        return NULL;
    if (from)
        buf_printf(&out, "From: %s\n", from);
    buf_printf(&out, "To: %s\n", whom);
    add_subject(&out, m);
    buf_add_str(&out, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
                      "Auto-Submitted: auto-generated\n\n");
    add_body(&out, m);
    return buf_take_str(&out);
}
