/*
 * linked_user.c - a shared object with versioned references to the family, for
 * linked.c.
 *
 * FAMILY(X) names each function that was in libc when this object was linked; the
 * addresses in the table are those that the dynamic linker bound.
 */
#define _GNU_SOURCE
#include "linked.h"

#include <malloc.h>
#include <stdlib.h>

#define ENTRY(name) {#name, (bound_function)(name)},
const bound_t bound_in_user[] = {FAMILY(ENTRY){NULL, NULL}};
