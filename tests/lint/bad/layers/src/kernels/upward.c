#include <sqlite3.h>

#include "base/mem.h"
#include "model/model.h"
#include "upward.h"
