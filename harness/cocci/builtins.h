/*
 * For spatch, which does not see the headers: macros that its parser takes for
 * something else without complaint. These are expanded everywhere.
 */
#define __free(name)
#define DEFINE_FREE(name, type, free)
#define DEFINE_GUARD(name, type, lock, unlock)
