/* core/link.c - the secrets. See link.h and seal.h. */
#include "core/link.h"

#include "core/seal.h"
#include "os/os.h"

link_secret_t link_secret;
seal_key_t seal_key;

void link_init(void)
{
    if (link_secret.key != 0)
        return;
    link_secret.mask =
        os_random() | 1; /* never aligned itself: a zeroed link is found too */
    seal_key = (seal_key_t){os_random(), os_random()};
    link_secret.key = os_random() | 1;
}
