#include "base/late.h"

#include <dlfcn.h>
#include <string.h>

#include "base/mem.h"

int late_load(const char *library, const char *const *names, size_t n, void *calls, struct err *err)
{
    AUTO(mem_freep) void **found = mem_new(n, sizeof(*found));
    void *lib = dlopen(library, RTLD_NOW);
    size_t i = 0;

    while (lib && i < n && (found[i] = dlsym(lib, names[i])))
        i++;
    if (i < n) {
        err_set(err, REASON_CONFIG, 0, "'%s' cannot be loaded: %s", library, dlerror());
        return err_hint(err, "install it: the package that impomero came in depends on it");
    }
    memcpy(calls, found, n * sizeof(*found));
    return 0;
}
