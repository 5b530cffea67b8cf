/* The table of what is served. */
#pragma once

#include "web/answer.h"

enum route_kind { ROUTE_PAGE, ROUTE_API, ROUTE_PLAIN }; /* in what form errors are said */

struct route {
    const char *path;
    enum route_kind kind;
    view_fn *run;
};
extern const struct route routes[];
extern const size_t n_routes;

view_fn page_overview, page_problems, page_cards, page_history, page_search, page_fileset;
view_fn api_status, api_filesets, api_fileset, api_datasets, api_cards, api_problems, api_events;
view_fn metrics_text, health_alive, health_ready;

void page_error(struct view *v, int status, const char *text, const char *hint);
