/* good_reply.h: an answer that a decoder may give, to be spoilt field by field. */
#ifndef PD_TEST_GOOD_REPLY_H
#define PD_TEST_GOOD_REPLY_H

#include <math.h>
#include <string.h>

#include "media/protocol.h"

static inline void fill_good_reply(const pd_decode_request *request, pd_decode_reply *ret_reply)
{
    *ret_reply = (pd_decode_reply){ .magic = PD_DECODE_MAGIC,
                                    .version = PD_DECODE_VERSION,
                                    .id = request->id,
                                    .has_pixels = 1,
                                    .type = "jpeg",
                                    .width = 8,
                                    .height = 4,
                                    .pages = 1,
                                    .pixel_width = 4,
                                    .pixel_height = 2,
                                    .phash = 42,
                                    .look = { 12.5F, 2, { { 200, 30, 20, 60 }, { 255, 255, 255, 40 } } },
                                    .meta = { .taken = "2004-11-26T12:05:19+01:00",
                                              .taken_source = "exif",
                                              .subsec = "25",
                                              .make = "Canon",
                                              .orientation = 6,
                                              .iso = 100,
                                              .flash = 25,
                                              .white_balance = PD_MEDIA_ABSENT,
                                              .rating = 4,
                                              .exposure_s = 0.01,
                                              .fnumber = 2.8,
                                              .focal_mm = NAN,
                                              .focal35_mm = 50,
                                              .gps_lat = -33.5,
                                              .gps_lon = 151.2,
                                              .gps_alt = NAN } };
    if (request->rendition_side) {
        ret_reply->has_pixels = ret_reply->pixel_width = ret_reply->pixel_height = 0;
        ret_reply->phash = 0;
        ret_reply->look = (pd_look){ 0 };
        ret_reply->rendition_bytes = 24;
    }
    if (request->thumb) {
        ret_reply->thumb_offset = 24;
        ret_reply->thumb_bytes = 100;
    }
}

#endif
