/* The settings' secrets: found in their places, judged, wiped.  Only settings.c uses this. */
#pragma once

#include "engine/settings.h"

/* The value of a name in an environment, NULL when absent or empty. */
const char *settings_env(const char *const *env, const char *name);

/* Password and token, and whether the page may be served without one. */
int settings_secrets(struct settings *s, const char *config_path, const char *const *env, struct err *err);
void settings_wipe(char *secret); /* and free; NULL is fine */
