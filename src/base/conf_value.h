/* One configuration value: from text or TOML to what the table's type says.  Only conf.c uses this. */
#pragma once

#include "base/conf.h"
#include "base/mem.h"
#include "base/toml.h"

/* Both fill in text and number; texts are copied to the arena.  -1 (REASON_CONFIG): the message names the key but no place. */
int conf_value_from_text(const struct conf_key *key, const char *text, struct arena *arena, struct conf_value *out,
                         struct err *err);
int conf_value_from_toml(const struct conf_key *key, const struct toml_node *node, struct arena *arena, struct conf_value *out,
                         struct err *err);

bool conf_value_is_number(const struct conf_key *key); /* it must have a default */

/* Write to the struct that the key's offset is meant for. */
void conf_value_put(const struct conf_key *key, const struct conf_value *value, void *out);

/* A value that fits, as text; "" when there is none. */
const char *conf_value_example(const struct conf_key *key);
