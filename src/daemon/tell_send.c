/* The ways out: a program that is given text, and a POST. */
#define CURL_DISABLE_TYPECHECK /* its functions are called by pointers of the same names */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/late.h"
#include "base/mem.h"
#include "daemon/tell_inside.h"

/* ---- a program ---- */

/* With the signals of a fresh process: this one blocks some. */
static int spawn(char *const argv[], int in, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, pipe_only;
    int r;

    sigemptyset(&none);
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &pipe_only);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    r = posix_spawn(pid, argv[0], &files, &attr, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    return r;
}

/* False when it does not read in time; one that ends without reading is its own matter. */
static bool feed(int fd, const char *text, int64_t deadline_ns)
{
    size_t left = strlen(text);

    while (left > 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        ssize_t n;

        if (poll(&p, 1, clock_poll_ms(deadline_ns)) == 0)
            return false;
        n = write(fd, text, left);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return true;
        if (n > 0) {
            text += n;
            left -= (size_t)n;
        }
    }
    return true;
}

static bool wait_for(pid_t pid, int *status, int64_t deadline_ns)
{
    static const struct timespec nap = {.tv_nsec = 20 * NS_PER_MS};

    while (waitpid(pid, status, WNOHANG) == 0) {
        if (clock_mono_ns() > deadline_ns)
            return false;
        nanosleep(&nap, NULL);
    }
    return true;
}

int tell_run(char *const argv[], const char *text, struct err *err)
{
    AUTO(io_closep) int out = -1;
    AUTO(io_closep) int in = -1;
    int64_t deadline = clock_after_ns(TELL_TIMEOUT_S * NS_PER_S);
    int pipes[2], status = 0, r;
    pid_t pid;

    if (pipe2(pipes, O_CLOEXEC) < 0)
        return err_set(err, REASON_BUG, errno, "make a pipe");
    in = pipes[0];
    out = pipes[1];
    (void)fcntl(out, F_SETFL, O_NONBLOCK);
    r = spawn(argv, in, &pid);
    if (r != 0)
        return err_set(err, REASON_UNREADABLE, r, "run '%s'", argv[0]);
    io_closep(&in);
    in = -1;
    bool fed = feed(out, text, deadline);
    io_closep(&out);
    out = -1;
    if (!fed || !wait_for(pid, &status, deadline)) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        return err_set(err, REASON_TIMEOUT, 0, "'%s' did not end within %d s", argv[0], TELL_TIMEOUT_S);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return err_set(err, REASON_UNREADABLE, 0, "'%s' ended with status %d", argv[0], WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

/* ---- a POST ---- */

static size_t drop(char *bytes, size_t size, size_t n, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * n;
}

#define CURL_CALLS(X)                                                                                                  \
    X(curl_easy_init) X(curl_easy_setopt) X(curl_easy_perform) X(curl_easy_getinfo) X(curl_easy_cleanup)               \
    X(curl_easy_strerror) X(curl_slist_append) X(curl_slist_free_all)

/* libcurl brings two dozen libraries along, four MiB of memory. */
LATE_STRUCT(curl_calls, CURL_CALLS);
LATE_NAMES(curl_names, CURL_CALLS);

int tell_post(const char *url, const char *json, struct err *err)
{
    struct curl_calls f = {0};
    long status = 0;

    if (late_load("libcurl.so.4", curl_names, ARRAY_LEN(curl_names), &f, err) < 0)
        return err_prefix(err, "webhook: ");

    CURL *c = f.curl_easy_init();
    struct curl_slist *headers = f.curl_slist_append(NULL, "Content-Type: application/json");

    f.curl_easy_setopt(c, CURLOPT_URL, url);
    f.curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    f.curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    f.curl_easy_setopt(c, CURLOPT_POSTFIELDS, json);
    f.curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)TELL_TIMEOUT_S);
    f.curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    f.curl_easy_setopt(c, CURLOPT_USERAGENT, "impomero/" IMPOMERO_VERSION);
    f.curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);

    CURLcode r = f.curl_easy_perform(c);

    f.curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    f.curl_slist_free_all(headers);
    f.curl_easy_cleanup(c);
    if (r != CURLE_OK)
        return err_set(err, r == CURLE_OPERATION_TIMEDOUT ? REASON_TIMEOUT : REASON_LOST, 0, "webhook: %s",
                       f.curl_easy_strerror(r));
    return status >= 200 && status < 300 ? 0 : err_set(err, REASON_LOST, 0, "webhook: HTTP status %ld", status);
}
