#include "media/protocol.h"
#include "media/media.h"
#include "media/pool.h"
#include "store/store.h"
#include <vips/vips.h>
