/* core/link.c - the secret. See link.h. */
#include "core/link.h"

#include "os/os.h"

link_secret_t link_secret;

void link_init(void)
{
    if (link_secret.key != 0)
        return;
    link_secret.mask =
        os_random() | 1; /* never aligned itself: a zeroed link is found too */
    link_secret.key = os_random() | 1;
}
