/* libmicrohttpd, loaded when a page is served: with the libraries that it brings along it takes two MiB.  Its functions go by
 * their own names. */
#pragma once

#include <microhttpd.h>

#include "base/late.h"

#define MHD_CALLS(X)                                                                                                         \
    X(MHD_start_daemon) X(MHD_stop_daemon) X(MHD_run) X(MHD_get_timeout) X(MHD_get_daemon_info) X(MHD_get_connection_info)   \
    X(MHD_get_connection_values) X(MHD_lookup_connection_value) X(MHD_create_response_from_buffer)                           \
    X(MHD_add_response_header) X(MHD_queue_response) X(MHD_destroy_response)

LATE_STRUCT(mhd_calls, MHD_CALLS);
LATE_NAMES(mhd_names, MHD_CALLS);

#define MHD_start_daemon mhd.MHD_start_daemon
#define MHD_stop_daemon mhd.MHD_stop_daemon
#define MHD_run mhd.MHD_run
#define MHD_get_timeout mhd.MHD_get_timeout
#define MHD_get_daemon_info mhd.MHD_get_daemon_info
#define MHD_get_connection_info mhd.MHD_get_connection_info
#define MHD_get_connection_values mhd.MHD_get_connection_values
#define MHD_lookup_connection_value mhd.MHD_lookup_connection_value
#define MHD_create_response_from_buffer mhd.MHD_create_response_from_buffer
#define MHD_add_response_header mhd.MHD_add_response_header
#define MHD_queue_response mhd.MHD_queue_response
#define MHD_destroy_response mhd.MHD_destroy_response
