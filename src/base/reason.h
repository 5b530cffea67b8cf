/* The one table of reason codes: why something waits, is held or failed, who can do something about it and what.
 *
 * Messages, `status`, JSON, ledger rows and the log all take their words from here; a code is stored by its name and never by
 * its number.  Columns: enumerator, stored name, class, who can act, what it means, what to do. */
#pragma once

enum err_class {
    ERR_RETRY, /* safe to do again at once: nothing happened */
    ERR_WAIT,  /* may go by itself: try again after the back-off */
    ERR_FINAL, /* stays so until a person or a change mends it */
};

enum reason_who { WHO_NOBODY, WHO_RESEARCHER, WHO_ADMIN, WHO_DEVELOPER };

#define REASONS(X)                                                                                                            \
    X(NONE, "none", FINAL, NOBODY, "nothing is wrong", "")                                                                     \
    X(USAGE, "usage", FINAL, ADMIN, "the command line is not right", "see impomero --help")                                    \
    X(CONFIG, "config", FINAL, ADMIN, "the configuration is not right", "mend the named line of the configuration")           \
    X(NO_CARD, "no-card", FINAL, RESEARCHER, "no card applies here", "put a card beside the files or further up")              \
    X(BROKEN_CARD, "broken-card", FINAL, RESEARCHER, "the card cannot be read", "mend the card at the named line")             \
    X(CONFLICT, "conflict", FINAL, RESEARCHER, "two cards contradict each other", "remove one of the cards")                   \
    X(SETTLING, "settling", WAIT, NOBODY, "may still be written", "wait until the files have been quiet for a while")          \
    X(OPEN, "open", WAIT, RESEARCHER, "a program still has it open for writing", "end the acquisition, or close the file")     \
    X(INCOMPLETE, "incomplete", WAIT, RESEARCHER, "something of the set is missing", "copy the missing files beside it")       \
    X(FOREIGN, "foreign", FINAL, RESEARCHER, "lies among the files of a set that does not name it",                            \
      "move it elsewhere if it is an image of its own")                                                                       \
    X(EXCLUDED, "excluded", FINAL, ADMIN, "left out by the choice of this directory tree or of the card",                      \
      "see include, exclude and formats")                                                                                     \
    X(HELPER, "helper", WAIT, ADMIN, "the grouping helper failed", "run grouping.helper by hand")                              \
    X(TOO_DEEP, "too-deep", FINAL, ADMIN, "deeper than this look goes", "look with a larger --depth")                          \
    X(UNKNOWN_FORMAT, "unknown-format", FINAL, NOBODY, "not a format that is imported", "nothing, if it is no image")          \
    X(DEFERRED, "deferred", FINAL, ADMIN, "a format that this version leaves alone", "import it with the official client")     \
    X(BROKEN_FILE, "broken-file", FINAL, RESEARCHER, "the file is damaged or cut short", "copy the file again")                \
    X(EMPTY, "empty", WAIT, RESEARCHER, "the file is empty", "copy the file again, or remove it")                              \
    X(UNREADABLE, "unreadable", WAIT, ADMIN, "it cannot be read", "give the importing account the right to read it")           \
    X(GONE, "gone", WAIT, NOBODY, "it vanished while it was being looked at", "nothing, if it was removed on purpose")         \
    X(CHANGED, "changed", WAIT, RESEARCHER, "it changed while it was being read or after its import", "leave it unchanged")    \
    X(LINK, "link", FINAL, RESEARCHER, "a symbolic link, and links are not followed", "put the file itself there")             \
    X(NOT_REGULAR, "not-regular", FINAL, RESEARCHER, "neither a file nor a directory", "remove it from the tree")              \
    X(HIDDEN, "hidden", FINAL, NOBODY, "its name begins with a dot", "nothing, or rename it")                                  \
    X(TEMPORARY, "temporary", WAIT, NOBODY, "its name says that it is still being copied", "wait for the copy to end")         \
    X(NOT_UTF8, "not-utf8", FINAL, RESEARCHER, "its path is not UTF-8", "rename it")                                           \
    X(TOO_LONG, "too-long", FINAL, RESEARCHER, "longer than OMERO can store", "shorten it")                                    \
    X(TOO_LARGE, "too-large", FINAL, RESEARCHER, "above a ceiling of this program", "make it smaller")                         \
    X(DUPLICATE, "duplicate", FINAL, RESEARCHER, "in OMERO already", "nothing, or ask for it again by impomero retry")         \
    X(COPY, "copy", FINAL, NOBODY, "a copy of files that are in OMERO", "nothing: duplicates = \"skip\" leaves it out")          \
    X(THERE, "there", FINAL, ADMIN, "its files are in OMERO already", "impomero adopt --dry-run DIR shows them")                \
    X(OTHER_LEDGER, "other-ledger", FINAL, ADMIN, "another ledger has this dataset", "impomero adopt DIR takes it over")         \
    X(REFUSED, "refused", FINAL, ADMIN, "not allowed by the policy of this directory tree", "ask the OMERO administrator")     \
    X(ROOT_AWAY, "root-away", WAIT, ADMIN, "the directory tree is empty or not there", "mount it, or correct its path")        \
    X(NO_SERVER, "no-server", WAIT, ADMIN, "the OMERO server cannot be reached", "check its name, port and firewall")          \
    X(NOT_OMERO, "not-omero", FINAL, ADMIN, "what answers there is no OMERO server", "check the server's name and port")       \
    X(CERTIFICATE, "certificate", FINAL, ADMIN, "the server's certificate is not trusted", "compare its fingerprint")          \
    X(TLS, "tls", FINAL, ADMIN, "no TLS version or cipher in common with the server", "mend the server's TLS settings")        \
    X(SERVER_DOWN, "server-down", WAIT, ADMIN, "OMERO's router answers, but OMERO behind it does not", "look at the server")   \
    X(TIMEOUT, "timeout", WAIT, ADMIN, "no answer came in time", "nothing, if it goes by itself; else look at the server")     \
    X(LOST, "lost", WAIT, NOBODY, "the connection was lost", "nothing: it is tried again")                                     \
    X(PROTOCOL, "protocol", FINAL, DEVELOPER, "the server's answer cannot be understood", "report it with the server version") \
    X(LOGIN, "login", FINAL, ADMIN, "OMERO refuses the login", "check user name and password")                                 \
    X(SESSION, "session", RETRY, NOBODY, "the OMERO session is over", "nothing: a new one is opened")                          \
    X(NO_RIGHT, "no-right", FINAL, ADMIN, "OMERO refuses the permission", "see which right the text names")                    \
    X(NO_USER, "no-user", WAIT, RESEARCHER, "OMERO knows no such user", "correct the user in the card")                        \
    X(NO_GROUP, "no-group", WAIT, RESEARCHER, "OMERO knows no such group", "correct the group in the card")                    \
    X(NOT_MEMBER, "not-member", WAIT, ADMIN, "the user is not in that group", "add the user to the group, or mend the card")   \
    X(DEACTIVATED, "deactivated", WAIT, ADMIN, "the user's account is switched off", "switch it on, or mend the card")         \
    X(TARGET_GONE, "target-gone", FINAL, RESEARCHER, "the dataset was deleted or moved in OMERO", "ask by impomero retry")     \
    X(TARGET_MOVED, "target-moved", FINAL, RESEARCHER, "the card names another project, user or group than before",            \
      "give the commands that the text names, or change the card back")                                                       \
    X(REPOSITORY_FULL, "repository-full", WAIT, ADMIN, "OMERO's repository is full", "make room on the server")                \
    X(DB_READ_ONLY, "db-read-only", WAIT, ADMIN, "OMERO's database takes no changes", "look at the server")                    \
    X(SERVER_BUSY, "server-busy", WAIT, NOBODY, "the server asks to try again later", "nothing: it is tried again")            \
    X(SERVER_ERROR, "server-error", WAIT, ADMIN, "OMERO failed inside", "look at the server's log")                            \
    X(IMPORT_FAILED, "import-failed", FINAL, RESEARCHER, "OMERO could not import the file", "see the reason in the text")      \
    X(CHECKSUM, "checksum", WAIT, ADMIN, "the bytes in OMERO differ from the file", "nothing: it is tried again")              \
    X(IMAGE_GONE, "image-gone", FINAL, RESEARCHER, "its image was deleted in OMERO", "ask for it again by impomero retry")     \
    X(UNLINKED, "unlinked", FINAL, RESEARCHER, "an annotation of its card was taken off", "nothing, if it was meant so")       \
    X(IN_PLACE, "in-place", WAIT, ADMIN, "files cannot be placed in OMERO's repository", "see what the text names, or upload")   \
    X(UNDER_WAY, "under-way", WAIT, NOBODY, "an earlier try may still be running on the server", "nothing: it is asked again") \
    X(UNKNOWN_OUTCOME, "unknown-outcome", FINAL, ADMIN, "it is not known whether the import happened",                     \
      "look in OMERO; if its images are not there, impomero forget, and it is imported anew")                                 \
    X(DISK_FULL, "disk-full", WAIT, ADMIN, "the disk of the state directory is full", "make room there")                       \
    X(LEDGER, "ledger", FINAL, ADMIN, "the ledger cannot be used", "see the text; never delete the ledger")                    \
    X(BUSY, "busy", FINAL, ADMIN, "another impomero works on this ledger", "wait for it, or stop it")                          \
    X(STOPPED, "stopped", RETRY, NOBODY, "the program was asked to stop", "start it again")                                    \
    X(BUG, "bug", FINAL, DEVELOPER, "a fault of this program", "report it with the text")

enum reason {
#define X(id, name, cls, who, text, hint) REASON_##id,
    REASONS(X)
#undef X
    N_REASONS,
};

struct reason_row {
    const char *name;
    enum err_class cls;
    enum reason_who who;
    const char *text;
    const char *hint;
};

/* The row of a code; never NULL: a number outside the table gives REASON_BUG's. */
const struct reason_row *reason_row(enum reason why);

/* The code of a stored name; REASON_BUG for a name that is not in the table (a ledger of a newer version). */
enum reason reason_named(const char *name);

/* "nobody", "researcher", "administrator", "developer". */
const char *reason_who_name(enum reason_who who);
