#include "web/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { REFRESH_S = 5, REFRESH_WITHOUT_SCRIPT_S = 30 };

static const struct {
    const char *address, *name;
} pages[] = {
    {"/", "Overview"}, {"/problems", "Problems"}, {"/cards", "Cards"}, {"/history", "History"},
};

static void navigation(struct view *v, const char *here)
{
    const char *q = request_text(v->q, "q");

    html(v->b, "<nav aria-label=\"Pages\"><ul>");
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        html(v->b, "<li><a href=\"%s\"", pages[i].address);
        if (here && strcmp(here, pages[i].address) == 0)
            html(v->b, " aria-current=\"page\"");
        html(v->b, ">%s</a></li>", pages[i].name);
    }
    html(v->b, "</ul></nav><form role=\"search\" action=\"/search\"><label for=\"q\">Path, user, card, image or number</label>"
               "<input id=\"q\" name=\"q\" type=\"search\" maxlength=\"2000\" value=\"%s\"><button>Search</button></form>",
         q ? q : "");
}

void page_begin(struct view *v, const char *here, const char *title)
{
    v->out->type = "text/html; charset=utf-8";
    html(v->b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s – impomero</title>"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
               "<meta name=\"color-scheme\" content=\"light dark\"><link rel=\"stylesheet\" href=\"/style.css\">"
               "<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\"><script src=\"/page.js\" defer></script>"
               "<noscript><meta http-equiv=\"refresh\" content=\"%d\"></noscript></head>\n<body>"
               "<a class=\"skip\" href=\"#main\">To the content</a><header><p class=\"name\">impomero</p>",
         title, (int64_t)REFRESH_WITHOUT_SCRIPT_S);
    navigation(v, here);
    html(v->b, "</header>\n<main id=\"main\" tabindex=\"-1\" data-refresh=\"%d\">\n<h1>%s</h1>\n", (int64_t)REFRESH_S, title);
}

void page_end(struct view *v)
{
    html(v->b,
         "</main>\n<footer><p>impomero %s. This page only shows; what is asked of it is asked by <code>impomero retry</code>"
         " and <code>impomero forget</code>. As JSON: <a href=\"/api/v1/status\">/api/v1/status</a>; for monitors:"
         " <a href=\"/metrics\">/metrics</a>, <a href=\"/readyz\">/readyz</a>.</p></footer></body></html>\n",
         IMPOMERO_VERSION);
}

void page_error(struct view *v, int status, const char *text, const char *hint)
{
    page_begin(v, NULL, status == 404 ? "There is no such page" : "This cannot be shown");
    html(v->b, "<p>%s.</p><p>%s.</p>", text, hint);
    page_end(v);
}

void page_more(struct buf *b, const char *address, const char *key, const char *value, const char *after)
{
    if (!after)
        return;
    html(b, "<p class=\"more\"><a rel=\"next\" href=\"%s?", address);
    if (key && value)
        html(b, "%s=%u&amp;", key, value);
    html(b, "after=%u\">More</a></p>\n", after);
}

void page_path(struct buf *b, const char *root, const char *path, int64_t row)
{
    const char *slash = strcmp(root, "/") == 0 || !*path ? "" : "/";

    if (row)
        html(b, "<a href=\"/fileset?id=%d\">", row);
    html(b, "<bdi class=\"path\">%s%s%s</bdi>", root, slash, path);
    if (row)
        html(b, "</a>");
}

void page_omero(struct view *v, const char *kind, int64_t id, const char *name)
{
    const char *base = v->web->job->omero_web;
    size_t n = base ? strlen(base) : 0;

    if (base) {
        AUTO(mem_freep) char *cut = mem_strn(base, base[n - 1] == '/' ? n - 1 : n);

        html(v->b, "<a href=\"%s/webclient/?show=%s-%d\" rel=\"noreferrer\">", cut, kind, id);
    }
    html(v->b, "%s %d <bdi>%s</bdi>", kind, id, name);
    if (base)
        html(v->b, "</a>");
}

void page_reason(struct buf *b, enum reason why, const char *text)
{
    const struct reason_row *row = reason_row(why);

    html(b, "<span class=\"reason\">%s</span> %s", row->name, row->text);
    if (text && *text)
        html(b, ": <bdi>%s</bdi>", text);
}

static const char *who_says(enum reason_who who)
{
    static const char *const names[] = {[WHO_NOBODY] = "Nobody needs to do anything", [WHO_RESEARCHER] = "The researcher can act",
                                        [WHO_ADMIN] = "The administrator can act", [WHO_DEVELOPER] = "A developer can act"};

    return names[who];
}

void page_problem_words(struct buf *b, const struct shape_problem *p)
{
    const struct reason_row *row = reason_row(p->why);

    html(b, "<p>");
    page_reason(b, p->why, p->text);
    html(b, "</p><p>%s: %s.</p><p class=\"when\">", who_says(row->who), p->hint && *p->hint ? p->hint : row->hint);
    if (p->since_ms) {
        html(b, "Since ");
        html_time(b, p->since_ms);
    }
    if (p->retry_ms && p->retry_ms != CLOCK_NEVER) {
        html(b, "; tried again at ");
        html_time(b, p->retry_ms);
    }
    html(b, "</p>");
}

void page_problem(struct buf *b, const struct shape_problem *p)
{
    html(b, "<article class=\"problem %s\"><h3>", p->cls == ERR_FINAL ? "held" : "waiting");
    page_path(b, p->root, p->path, p->fileset);
    if (p->line)
        html(b, ", line %d", (int64_t)p->line);
    html(b, "</h3>");
    page_problem_words(b, p);
    html(b, "</article>\n");
}

void page_counts(struct buf *b, const int64_t n[N_LEDGER_STATES])
{
    bool any = false;

    for (unsigned i = 0; i < N_LEDGER_STATES; i++) {
        if (n[i] == 0)
            continue;
        html(b, "%s<span class=\"state %s\">%d %s</span>", any ? " " : "", ledger_state_name((enum ledger_state)i), n[i],
             ledger_state_name((enum ledger_state)i));
        any = true;
    }
    if (!any)
        html(b, "no files");
}
