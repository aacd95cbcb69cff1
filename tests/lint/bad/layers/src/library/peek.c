#include "store/store.h"
#include "store/schema.h"
#include "store/store.c"
#include <jansson.h>
