#include "media/protocol.h"
#include "media/media.h"
#include <vips/vips.h>
