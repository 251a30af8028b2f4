/* core/link.c - the secrets. See link.h and seal.h. */
#include "core/link.h"

#include "base/options.h"
#include "core/registry.h"
#include "core/seal.h"
#include "os/os.h"

CM_CONSTANT link_secret_t link_secret;
CM_CONSTANT seal_key_t seal_key;

CM_START void link_init(void)
{
    if (link_secret.key != 0)
        return;
    uintptr_t chance[4];
    os_random(chance, 4);
    link_secret.mask =
        chance[0] | 1; /* never aligned itself: a zeroed link is found too */
    seal_key = (seal_key_t){chance[1], chance[2]};
    link_secret.key = chance[3] | 1;
}

CM_FAR bool link_leads(uintptr_t mem)
{
    const void *p = (const void *)mem; /* NOLINT(performance-no-int-to-ptr) */
    return mem == 0 || registry_has(p) || os_is_mapped(p);
}
