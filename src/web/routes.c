#include "web/routes.h"

const struct route routes[] = {
    {"/", ROUTE_PAGE, page_overview},
    {"/problems", ROUTE_PAGE, page_problems},
    {"/cards", ROUTE_PAGE, page_cards},
    {"/history", ROUTE_PAGE, page_history},
    {"/search", ROUTE_PAGE, page_search},
    {"/fileset", ROUTE_PAGE, page_fileset},
    {"/healthz", ROUTE_PLAIN, health_alive},
    {"/readyz", ROUTE_PLAIN, health_ready},
    {"/metrics", ROUTE_PLAIN, metrics_text},
    {"/api/v1/status", ROUTE_API, api_status},
    {"/api/v1/filesets", ROUTE_API, api_filesets},
    {"/api/v1/fileset", ROUTE_API, api_fileset},
    {"/api/v1/datasets", ROUTE_API, api_datasets},
    {"/api/v1/cards", ROUTE_API, api_cards},
    {"/api/v1/problems", ROUTE_API, api_problems},
    {"/api/v1/events", ROUTE_API, api_events},
};
const size_t n_routes = ARRAY_LEN(routes);
