/* Small bar charts, drawn here: an SVG with a text that says the same. */
#include "web/page.h"

enum { BAR = 10, HEIGHT = 80 };

static int64_t largest(const struct chart *c)
{
    int64_t most = 0;

    for (size_t i = 0; i < c->n; i++)
        most = c->values[i] > most ? c->values[i] : most;
    return most;
}

static int64_t total(const struct chart *c)
{
    int64_t sum = 0;

    for (size_t i = 0; i < c->n; i++)
        sum += c->values[i];
    return sum;
}

static void value(struct buf *b, const struct chart *c, int64_t n)
{
    if (c->bytes)
        html_bytes(b, n);
    else
        html(b, "%d %s", n, c->unit);
}

static void bars(struct buf *b, const struct chart *c, int64_t most)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->values[i] == 0)
            continue;
        int64_t height = most ? (int64_t)((double)c->values[i] / (double)most * (HEIGHT - 2)) : 0;

        if (height < 1)
            height = 1;
        html(b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", (int64_t)(i * BAR), HEIGHT - height, (int64_t)BAR - 2,
             height);
    }
}

/* "Filesets an hour": most 12, latest 3, in all 120 over 48 hours. */
void page_chart(struct buf *b, const struct chart *c)
{
    int64_t most = largest(c);

    html(b,
         "<figure class=\"chart\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s\" preserveAspectRatio=\"none\">",
         (int64_t)(c->n * BAR), (int64_t)HEIGHT, c->id);
    bars(b, c, most);
    html(b, "</svg><figcaption id=\"%s\">%s over the last %d hours: most ", c->id, c->title, (int64_t)c->n);
    value(b, c, most);
    html(b, ", now ");
    value(b, c, c->n > 0 ? c->values[c->n - 1] : 0);
    if (c->bytes) {
        html(b, ", in all ");
        value(b, c, total(c));
    }
    html(b, "</figcaption></figure>\n");
}
