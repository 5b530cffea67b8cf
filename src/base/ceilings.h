/* Every ceiling of the program, with its unit and its reason.  Each has a test that reaches it. */
#pragma once

#define ICE_MESSAGE_MAX (64u << 20) /* bytes of one Ice message; OMERO's own grid template allows 65,536 KiB */
#define ICE_DEPTH_MAX 64u           /* levels of sequence, struct or class within one another; OMERO's graphs need about 20 */
#define ICE_INSTANCES_MAX (4u << 20) /* class instances in one encapsulation: 20,000 links bring about 400,000 */
#define ICE_ARENA_MAX (1u << 30)    /* bytes that decoding one message may take; C values are larger than their wire form */
#define CARD_MAX_BYTES (1u << 20)   /* a person wrote it; anything larger is no card */
#define TREE_ENTRIES_MAX (4u << 20) /* entries of one scan: about 150 bytes each */
#define TREE_DEPTH_MAX 64u          /* directories within one another; also file descriptors that a scan holds at once */
#define TREE_PATH_MAX 4095u         /* bytes of a path below its root; longer ones cannot be opened (PATH_MAX) */
#define CARD_TAGS_MAX 1000u         /* tags of one card; people give a handful */
#define CARD_PAIRS_MAX 1000u        /* rows of one card's key-value pairs */
#define TOML_MAX_BYTES (4u << 20)   /* bytes of one TOML text, configurations too */
#define TOML_DEPTH_MAX 32u          /* brackets within one another, and parts of one dotted key; its reader recurses */
#define TOML_LEVELS_MAX 100u        /* tables and arrays within one another in what was read */
#define CONF_ROOTS_MAX 1000u        /* [[root]] tables of one configuration */
#define LOG_LINE_MAX (16u << 10)    /* bytes of one line of the log */
#define CLI_OPTIONS_MAX 256u        /* options in one command line */
#define CARD_MEANING_MAX (4u << 20) /* bytes of all keys and values of one card as text: dotted keys repeat their beginning */
#define TIFF_TAGS_MAX 4096u         /* tags of one directory; TIFF 6.0 allows 65,535, files have 10 to 100 */
#define OME_XML_MAX (256u << 20)    /* bytes of one OME-XML; plates bring some tens of MiB */
#define OME_TOKEN_MAX (1u << 20)    /* bytes of one tag with its attributes: expat keeps it whole */
#define OME_DEPTH_MAX 64u           /* elements within one another; the schema needs about 12 */
#define OME_NAMES_MAX (1u << 18)    /* different files of one set; one a plane is the worst usual case */
#define OMERO_PAIR_MAX 2600u         /* bytes of a key or a value in OMERO: they are in an index with rows of 2,704 bytes */
