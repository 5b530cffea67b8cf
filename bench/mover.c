/* How fast two processes move bytes over TLS on this machine with OpenSSL alone: what an upload is measured against.
 *
 * usage: mover CERTIFICATE KEY BYTES     prints the seconds and the cipher */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { BLOCK = 1 << 20 };

static int fail(const char *what)
{
    fprintf(stderr, "mover: %s\n", what);
    return EXIT_FAILURE;
}

/* Until the peer ends; then one byte goes back, so that the sender's clock stops when all has arrived. */
static int receive(int fd, const char *certificate, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL *ssl = ctx && SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
               SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 ? SSL_new(ctx) : NULL;
    AUTO(mem_freep) char *block = mem_new(BLOCK, 1);

    if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_accept(ssl) != 1)
        return fail("the receiver's handshake");
    while (SSL_read(ssl, block, BLOCK) > 0)
        continue;
    int r = SSL_write(ssl, "x", 1) == 1 ? EXIT_SUCCESS : fail("the receiver's answer");
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return r;
}

static int send_all(int fd, long long bytes)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = ctx ? SSL_new(ctx) : NULL;
    AUTO(mem_freep) char *block = mem_new(BLOCK, 1);

    if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
        return fail("the sender's handshake");

    int64_t began = clock_mono_ns();

    for (long long left = bytes; left > 0; left -= BLOCK)
        if (SSL_write(ssl, block, left < BLOCK ? (int)left : BLOCK) <= 0)
            return fail("a write");
    (void)SSL_shutdown(ssl);
    if (SSL_read(ssl, block, 1) != 1)
        return fail("the end");
    printf("%.3f %s %s\n", (double)(clock_mono_ns() - began) / (double)NS_PER_S, SSL_get_version(ssl), SSL_get_cipher_name(ssl));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return EXIT_SUCCESS;
}

/* TCP on loopback, as the sandbox is reached; -1 on failure. */
static int connect_pair(int pair[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int listening = socket(AF_INET, SOCK_STREAM, 0);

    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listening, (struct sockaddr *)&at, size) < 0 || listen(listening, 1) < 0 ||
        getsockname(listening, (struct sockaddr *)&at, &size) < 0 || connect(pair[0], (struct sockaddr *)&at, size) < 0)
        return -1;
    pair[1] = accept(listening, NULL, NULL);
    close(listening);
    return pair[1] < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    int pair[2], status = EXIT_FAILURE;

    if (argc != 4 || connect_pair(pair) < 0)
        return fail("usage: mover CERTIFICATE KEY BYTES");

    pid_t child = fork();

    if (child == 0) {
        close(pair[0]);
        return receive(pair[1], argv[1], argv[2]);
    }
    close(pair[1]);
    int sent = send_all(pair[0], strtoll(argv[3], NULL, 10));
    close(pair[0]);
    (void)waitpid(child, &status, 0);
    return sent == EXIT_SUCCESS && status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
