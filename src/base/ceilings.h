/* Every ceiling of the program, with its unit and its reason.  Each has a test that reaches it. */
#pragma once

#define ICE_MESSAGE_MAX (64u << 20) /* bytes of one Ice message; OMERO's own grid template allows 65,536 KiB */
#define ICE_DEPTH_MAX 64u           /* levels of sequence, struct or class within one another; OMERO's graphs need about 20 */
#define ICE_INSTANCES_MAX (4u << 20) /* class instances in one encapsulation: 20,000 links bring about 400,000 */
#define ICE_ARENA_MAX (1u << 30)    /* bytes that decoding one message may take; C values are larger than their wire form */
#define ICE_LINE_MAX (64u << 10)    /* bytes of a message as text: a graph of 20,000 links would be 10 MiB */
#define ICE_IN_FLIGHT_MAX 1024u     /* requests of one connection without a taken reply; a worker has a handful */
#define CARD_MAX_BYTES (1u << 20)   /* a person wrote it; a larger one is broken */
#define CARD_TAGS_MAX 1000u         /* tags of one card, doubles counted; people give a handful */
#define OM_ROWS_MAX (4u << 20)      /* cells of one projection's answer; 20,000 links of 4 columns are 80,000 */
#define OM_IMPORT_LOG_BYTES (1 << 20) /* of an import log's end, where the reason stands; the whole is some 100 kB as a rule */
#define OM_BATCH 5000u              /* links a save or delete: a real server takes 3 s for that many */
#define OM_PAIR_MAX 2600u           /* bytes of a map's key or value; the server's index refuses 2,704 */
#define OM_FILESET_FILES_MAX 100000u /* files of one fileset; a Zarr of that many is beyond what a server digests in one call */
#define OM_ENTRY_BYTES 64u          /* of importFileset for one file beside its path: about 20 were measured */
#define OM_BLOCK_LEAST (1u << 20)   /* bytes of a file in one write; official clients send 5,000,000 */
#define OM_BLOCK_MOST (32u << 20)   /* half of the message that a server takes; 62 MiB were seen to work */
#define OM_UPLOAD_BYTES (64u << 20) /* blocks of one set's files under way: two for each file, one where they are many */
#define OM_BLOCK_BYTES (4u << 20)   /* of a file in one write; servers take up to 62 MiB, official clients send 5,000,000 */
#define OM_KNOWN_SERVERS_MAX (1u << 20) /* bytes of the file known_servers */
#define TREE_ENTRIES_MAX (4u << 20) /* entries of one scan: about 150 bytes each */
#define TREE_DEPTH_MAX 64u          /* directories within one another; also file descriptors that a scan holds at once */
#define TREE_PATH_MAX 4095u         /* bytes of a path below its root; longer ones cannot be opened (PATH_MAX) */
#define WATCHES_MAX (1u << 20)      /* directories watched at a time; the kernel keeps about 1 KiB for each */
#define TIFF_TAGS_MAX 4096u         /* tags of one directory; TIFF 6.0 allows 65,535, files have 10 to 100 */
#define TIFF_DIRECTORIES_MOST 32u   /* looked at after the first: slides have 5 to 15; of a stack of thousands this is a sample */
#define OME_XML_MAX (256u << 20)    /* bytes of one OME-XML; plates bring some tens of MiB */
#define OME_TOKEN_MAX (1u << 20)    /* bytes of one tag with its attributes: expat keeps it whole */
#define OME_DEPTH_MAX 64u           /* elements within one another; the schema needs about 12 */
#define MOVIE_ATOMS_MAX 4096u    /* atoms of a QuickTime file looked at; a track has about 20 */
#define NAMES_MAX (1u << 18)        /* different files that one file names; one a plane is the worst usual case */
#define NAMES_TREE_MAX (1u << 20)   /* names that the files of one tree may give, beside 4 a file of it: 60 bytes each */
#define MEMORY_BYTES_MAX (64u << 20) /* bytes kept of one file, or of one list of names, from look to look */
#define HELPER_ANSWER_MAX (256u << 20) /* bytes that the grouping helper may answer: a path a file of a large plate */
#define MASTER_TEXT_MAX (64u << 20) /* bytes of a text that names the files of a set; the largest seen have some tens of MiB */
#define TELL_MAIL_MAX (256u << 10)   /* bytes of one mail: 20 paths with two sentences each */
#define NAMING_MAX (8u << 10)       /* bytes of a name made by a template; a path has at most 4,095 */
#define CARD_PAIRS_MAX 1000u        /* rows of one card's key-value pairs */
#define TOML_MAX_BYTES (4u << 20)   /* bytes of one TOML text, configurations too */
#define TOML_DEPTH_MAX 32u          /* brackets within one another, and parts of one dotted key; its reader recurses */
#define TOML_LEVELS_MAX 100u        /* tables and arrays within one another in what was read */
#define CONF_LIST_MAX 10000u        /* items of one list of a configuration, and bytes of one elsewhere: a row a user */
#define CONF_ROOTS_MAX 1000u        /* [[root]] tables of one configuration */
#define LOG_LINE_MAX (16u << 10)    /* bytes of one line of the log */
#define CLI_OPTIONS_MAX 256u        /* options in one command line */
#define CARD_MEANING_MAX (4u << 20) /* bytes of all keys and values of one card as text: dotted keys repeat their beginning */
#define OMERO_PAIR_MAX 2600u         /* bytes of a key or a value in OMERO: they are in an index with rows of 2,704 bytes */
#define SANDBOX_CHANNELS_MAX 65536u  /* channels of one image: a name each is kept */
#define SANDBOX_WELLS_MAX 65536       /* wells and fields of the plates of one file; a plate has at most 1,536 wells */
#define SANDBOX_PIECE_MAX (64 << 20)  /* bytes of one strip or tile that is tried */
#define SANDBOX_PAGES_MAX 65536u     /* pages of one TIFF */
#define WEB_TARGET_MAX 4096u         /* bytes of an address asked for: PATH_MAX with its escapes fits in a search */
#define WEB_PARAMS_MAX 16u           /* parameters of one address; the longest form has five */
#define WEB_HEADER_MAX (16u << 10)   /* bytes of a request's head, and what a connection takes in memory */
#define WEB_BODY_MAX (32u << 20)     /* bytes of one answer: 200 filesets with their files */
#define WEB_CONNECTIONS_MAX 64u      /* at a time; more wait in the system's queue */
#define WEB_REQUEST_S 15             /* seconds from the first byte of a request to the last of its answer */
#define WEB_PAGE_MAX 200u            /* rows of one page */
#define WEB_MEMBERS_MAX 1000u        /* files and images of one fileset that are shown */
