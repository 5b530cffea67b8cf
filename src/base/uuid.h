/* Random UUIDs (version 4) as text. */
#pragma once

enum { UUID_TEXT = 37 };

void uuid_new(char out[UUID_TEXT]);
