/* Every ceiling of the program, with its unit and its reason.  Each has a test that reaches it. */
#pragma once

#define ICE_MESSAGE_MAX (64u << 20) /* bytes of one Ice message; OMERO's own grid template allows 65,536 KiB */
#define ICE_DEPTH_MAX 64u           /* levels of sequence, struct or class within one another; OMERO's graphs need about 20 */
#define ICE_INSTANCES_MAX (4u << 20) /* class instances in one encapsulation: 20,000 links bring about 400,000 */
#define ICE_ARENA_MAX (1u << 30)    /* bytes that decoding one message may take; C values are larger than their wire form */
#define CARD_MAX_BYTES (1u << 20)   /* a person wrote it; anything larger is no card */
#define CARD_TAGS_MAX 1000u         /* tags of one card, doubles counted; people give a handful */
#define CARD_PAIRS_MAX 1000u        /* rows of one card's key-value pairs */
#define TOML_MAX_BYTES (4u << 20)   /* bytes of one TOML text, configurations too */
#define TOML_DEPTH_MAX 32u          /* brackets within one another, and parts of one dotted key; its reader recurses */
#define TOML_LEVELS_MAX 100u        /* tables and arrays within one another in what was read */
#define CONF_ROOTS_MAX 1000u        /* [[root]] tables of one configuration */
#define LOG_LINE_MAX (16u << 10)    /* bytes of one line of the log */
#define CLI_OPTIONS_MAX 256u        /* options in one command line */
#define CARD_MEANING_MAX (4u << 20) /* bytes of all keys and values of one card as text: dotted keys repeat their beginning */
