/* tools/stats.h - the sums of a target, for every subcommand that shows them. */
#ifndef CM_TOOLS_STATS_H
#define CM_TOOLS_STATS_H

#include "inspect/stats.h"
#include "tools/target.h"

#include <string.h>
#include <unistd.h>

/* Fill *set. Returns the number of faults that the walk met in the end. */
size_t target_stats(target_t *t, stats_set_t *set);

#endif
