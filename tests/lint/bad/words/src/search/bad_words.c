/* ================= helpers ================= */
#include <stdio.h>

extern int verbose;

/* TODO speed this up */
int shout(const char *name);
int shout(const char *name) /* TODO (#12): say it louder; this one is allowed */
{
    char text[80];
    strcpy(text, "strcpy(in a string is fine)");
    char *copy = malloc(80); // calloc( in a comment is fine
    pool->free(copy);
    if (getenv("LOUD"))
        printf("%s\n", name);
    return text[0];
} /* end shout() */
